"""The plans that were ruled out, grouped by what rules them out, with what would have passed."""

from dataclasses import dataclass, field

from advisor.ranking.explain import passing_values
from advisor.schema import Candidate, Finding, Recommendation

from .page import Items, Line, Span
from .reasons import rule_mark

_MOST_NAMES = 3
_MOST_REMEDIES = 2


@dataclass
class _Group:
    """The candidates that one rule or limit rejects."""

    finding: Finding | None = None
    candidates: list[Candidate] = field(default_factory=list)


def rejected_block(recommendation: Recommendation) -> Items:
    """List each rejecting rule or limit once with its plans; a plan rejected twice appears twice."""
    groups: dict[str, _Group] = {}
    for candidate in recommendation.candidates:
        by_rule = {finding.rule: finding for finding in candidate.findings if finding.rejects}
        for reason in candidate.rejected_by:
            key = reason.split(":", 1)[0]
            group = groups.setdefault(key, _Group(by_rule.get(key)))
            group.candidates.append(candidate)
    ordered = sorted(groups.items(), key=lambda item: -len(item[1].candidates))
    total = sum(candidate.status == "rejected" for candidate in recommendation.candidates)
    title = f"Ruled out: {total} of {len(recommendation.candidates)} plans"
    return Items(tuple(_group_line(key, group) for key, group in ordered), title)


def _group_line(key: str, group: _Group) -> Line:
    plans = Span(f"\n{_named(group.candidates)}", "muted")
    if group.finding is None:
        return Span(key, "strong"), f": {_nearest_miss(key, group)}", plans
    passing = passing_values(group.finding.trace)[:_MOST_REMEDIES]
    would = f" It hinges on {'; on '.join(passing)}." if passing else ""
    return group.finding.reason, rule_mark(group.finding), would, plans


def _named(candidates: list[Candidate]) -> str:
    labels = list(dict.fromkeys(f"{c.plan.label} on {c.plan.path}" for c in candidates))
    rest = len(labels) - _MOST_NAMES
    more = f" and {rest} more" if rest > 0 else ""
    return f"{len(candidates)} plan{'s' if len(candidates) > 1 else ''}: {', '.join(labels[:_MOST_NAMES])}{more}"


def _nearest_miss(key: str, group: _Group) -> str:
    """Quote the limit check of the candidate that comes nearest."""
    checks = [
        check
        for candidate in group.candidates
        for check in candidate.limits
        if check.met is False and f"limit {check.limit.metric.value}" == key
    ]
    if not checks:
        return "missed"
    best = max(checks, key=lambda check: check.probability or 0.0)
    return best.needed if len(checks) == 1 else f"at best, {best.needed}"
