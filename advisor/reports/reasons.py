"""Which rules speak for a plan, which steps and warnings they attach to it."""

from collections.abc import Iterable

from advisor.schema import Candidate, Finding, Recommendation, Truth

from .order import in_stages
from .page import Items, Line, Span
from .words import setting

_MOST_REASONS = 5
_MOST_STEPS = 10  # beside the plan's own
_MOST_WARNINGS = 6
_SPEAKING = ("prefer", "avoid", "estimate")  # a demand that is met says nothing for a plan; unmet ones reject it


def rule_mark(finding: Finding) -> Span:
    """Name a rule with its origin and certainty."""
    return Span(f" [{finding.rule}, {finding.origin}, {finding.certainty}]", "muted")


def fired(findings: Iterable[Finding], *kinds: str) -> tuple[Finding, ...]:
    """Return the findings of these kinds whose condition holds and that no other rule set aside, each rule once."""
    unique: dict[str, Finding] = {}
    for finding in findings:
        if finding.kind in kinds and finding.truth is Truth.TRUE and finding.weight > 0:
            unique.setdefault(finding.rule, finding)
    return tuple(unique.values())


def reasons(candidate: Candidate) -> Items:
    """List the weightiest rules about the plan; rules on the same evidence appear once."""
    found = sorted(fired(candidate.findings, *_SPEAKING), key=_importance)
    shown: dict[str, Finding] = {}
    for finding in found:
        shown.setdefault(finding.same_evidence or finding.rule, finding)
    lines = tuple(_reason_line(finding) for finding in list(shown.values())[:_MOST_REASONS])
    return Items(lines, "Why", note=_more(len(shown) - len(lines), candidate))


def _importance(finding: Finding) -> tuple[int, float, str]:
    return int(finding.kind == "estimate"), -finding.weight, finding.rule


def _reason_line(finding: Finding) -> Line:
    against = (Span("against: ", "warn"),) if finding.kind == "avoid" else ()
    return (*against, finding.reason, rule_mark(finding))


def steps(recommendation: Recommendation, candidate: Candidate) -> Items:
    """List what is to be done: the plan's own steps among the procedures that the rules add."""
    found = fired((*candidate.findings, *recommendation.case_findings), "procedure")
    told = sorted({finding.step or finding.reason: finding for finding in found}.values(), key=lambda f: -f.weight)
    added = {stage: [_added(f) for f in some] for stage, some in in_stages(told[:_MOST_STEPS]).items()}
    own: list[Line] = [(Span(step.label, "strong"), f": {_settings(step)}") for step in candidate.plan.steps]
    lines = (*added["before"], *own, *added["during"], *added["after"])
    return Items(lines, "Steps", numbered=True, note=_more(len(told) - _MOST_STEPS, candidate))


def _added(finding: Finding) -> Line:
    return finding.step or finding.reason, rule_mark(finding)


def _settings(step: object) -> str:
    """Write what a step is set to; what is off or empty goes without saying."""
    values = step.model_dump(exclude={"name"}) if hasattr(step, "model_dump") else {}
    told = [f"{name.replace('_', ' ')} {setting(value)}" for name, value in values.items() if value or name == "epochs"]
    return ", ".join(told)


def warnings(recommendation: Recommendation, candidate: Candidate) -> Items:
    """List the warnings about the plan and about the case."""
    found = sorted(fired((*candidate.findings, *recommendation.case_findings), "warn"), key=lambda f: -f.weight)
    lines = tuple((finding.reason, rule_mark(finding)) for finding in found[:_MOST_WARNINGS])
    return Items(lines, "Warnings", note=_more(len(found) - len(lines), candidate))


def _more(count: int, candidate: Candidate) -> str:
    return f"{count} more: advisor explain PLAN.json --why {candidate.number}" if count > 0 else ""
