"""Why this plan: what speaks for and against it, with what each rule adds to the score."""

from advisor.schema import Candidate, Explanation, Finding, Goal, Metric, Recommendation, Truth
from advisor.units import three

from .choosing import by_number
from .naming import named
from .utility import counted, favour_counts
from .weights import load_weights

_ORDER = {"veto": 0, "require": 1, "prefer": 2, "avoid": 3, "estimate": 4, "procedure": 5, "warn": 6}


def fired(candidate: Candidate) -> tuple[Finding, ...]:
    """The rules whose condition holds, most weighty first."""
    true = [f for f in candidate.findings if f.truth is Truth.TRUE]
    return tuple(sorted(true, key=lambda f: (not f.rejects, _ORDER[f.kind], -f.weight, f.rule)))


def points(candidate: Candidate, goal: Goal) -> dict[str, float]:
    """Return what each rule that prefers or avoids adds to the score; 0 where it does not count."""
    adds = counted(candidate.findings)
    silenced = sum(adds.values()) > 0 and not favour_counts(candidate, goal)
    weight = 0.0 if silenced else load_weights().rule_weight
    advising = (f.rule for f in fired(candidate) if f.kind in ("prefer", "avoid"))
    return {rule: round(weight * adds.get(rule, 0.0), 4) for rule in advising}


def why(recommendation: Recommendation, number: int) -> Explanation:
    """Explain what speaks for and against one candidate."""
    candidate = by_number(recommendation, number)
    answer = [f"{named(candidate)} is {candidate.status}."]
    answer += [f"Rejected by {reason}" for reason in candidate.rejected_by]
    if candidate.dominated_by is not None:
        better = recommendation.by_number[candidate.dominated_by]
        answer.append(f"{named(better)} is at least as good in every respect.")
    answer += _score(candidate)
    adds = points(candidate, recommendation.goal)
    answer += _silenced(candidate, adds, recommendation.goal)
    if candidate.remark:
        answer.append(candidate.remark[0].upper() + candidate.remark[1:] + ".")
    return Explanation(
        question=f"why #{number}",
        answer=tuple(answer),
        candidate=candidate,
        findings=fired(candidate),
        points=adds,
    )


def _score(candidate: Candidate) -> list[str]:
    if candidate.utility is None:
        return []
    parts = sorted(candidate.terms.items(), key=lambda item: -abs(item[1]))
    shown = ", ".join(f"{term} {value:+.2f}" for term, value in parts if abs(value) >= 0.005)
    return [f"Score {candidate.utility:+.2f}: {shown or 'nothing gained, nothing spent'}.", *_counted_as(candidate)]


def _counted_as(candidate: Candidate) -> list[str]:
    """Say so where the score compares another latency than the one that is shown."""
    shown, used = candidate.estimates.get(Metric.LATENCY), candidate.compared.get(Metric.LATENCY)
    if shown is None or used is None or abs(used / shown.mid - 1) < 0.01:
        return []
    return [
        f"The score counts {three(used)} ms instead of {three(shown.mid)} ms: plans of a path are compared by their "
        f"gains from its best known time, and little known paths by the dear end of their interval."
    ]


def _silenced(candidate: Candidate, adds: dict[str, float], goal: Goal) -> list[str]:
    """Say which rules speak without moving the score, and why."""
    said = []
    groups: dict[str, list[str]] = {}
    for finding in fired(candidate):
        if finding.rule in adds and finding.same_evidence:
            groups.setdefault(finding.same_evidence, []).append(finding.rule)
    for rules in groups.values():
        if len(rules) > 1:
            said.append(f"{' and '.join(rules)} rest on the same evidence and count once.")
    if sum(counted(candidate.findings).values()) > 0 and not favour_counts(candidate, goal):
        said.append("Rules speak for it, but a predicted slowdown against the unchanged model outweighs them.")
    return said
