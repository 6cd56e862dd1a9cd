"""Why this plan, why not that one: answers in sentences, taken from findings, limits and the terms of the score."""

from advisor.errors import GoalError, nearest
from advisor.schema import Candidate, Explanation, Finding, Recommendation, TraceNode, Truth
from advisor.units import three

_ORDER = {"veto": 0, "require": 1, "prefer": 2, "avoid": 3, "estimate": 4, "procedure": 5, "warn": 6}


def fired(candidate: Candidate) -> tuple[Finding, ...]:
    """The rules whose condition holds, most weighty first."""
    true = [f for f in candidate.findings if f.truth is Truth.TRUE]
    return tuple(sorted(true, key=lambda f: (not f.rejects, _ORDER[f.kind], -f.weight, f.rule)))


def passing_values(trace: TraceNode | None) -> tuple[str, ...]:
    """The comparisons of a trace that would turn it, with the value that would do."""
    if trace is None:
        return ()
    own = (f"{trace.shown}; would change at {trace.passes_if}",) if trace.passes_if else ()
    return own + tuple(text for child in trace.children for text in passing_values(child))


def why(recommendation: Recommendation, number: int) -> Explanation:
    """Explain what speaks for and against one candidate."""
    candidate = _by_number(recommendation, number)
    name = f"#{candidate.number} '{candidate.plan.label}' on {candidate.plan.path}"
    answer = [f"{name} is {candidate.status}."]
    answer += [f"Rejected by {reason}" for reason in candidate.rejected_by]
    if candidate.dominated_by is not None:
        better = recommendation.by_number[candidate.dominated_by]
        answer.append(
            f"#{better.number} '{better.plan.label}' on {better.plan.path} is at least as good in every respect."
        )
    if candidate.utility is not None:
        parts = sorted(candidate.terms.items(), key=lambda item: -abs(item[1]))
        shown = ", ".join(f"{term} {value:+.2f}" for term, value in parts if abs(value) >= 0.005)
        answer.append(f"Score {candidate.utility:+.2f}: {shown or 'nothing gained, nothing spent'}.")
    if candidate.remark:
        answer.append(candidate.remark[0].upper() + candidate.remark[1:] + ".")
    return Explanation(question=f"why #{number}", answer=tuple(answer), candidate=candidate, findings=fired(candidate))


def why_not(recommendation: Recommendation, wanted: str) -> Explanation:
    """Explain why a candidate (by number) or a technique (by name) is not the recommendation."""
    candidate = _find(recommendation, wanted)
    if candidate is None:
        return Explanation(
            question=f"why not {wanted}",
            answer=(
                f"No plan with {wanted} was proposed: it has nothing to work on in this model, or "
                f"{recommendation.device} has no path for it.",
            ),
        )
    name = f"#{candidate.number} '{candidate.plan.label}' on {candidate.plan.path}"
    if candidate.number == recommendation.winner:
        return Explanation(
            question=f"why not {wanted}", answer=(f"{name} is the recommendation.",), candidate=candidate
        )
    answer = [f"{name} is {candidate.status}."] + [f"Rejected by {reason}" for reason in candidate.rejected_by]
    rejecting = tuple(f for f in candidate.findings if f.rejects)
    answer += [f"{f.rule}: {text}" for f in rejecting for text in passing_values(f.trace)]
    if not candidate.rejected_by:
        answer += _compare(candidate, recommendation)
    findings = rejecting or tuple(f for f in fired(candidate) if f.kind in ("avoid", "warn", "estimate"))
    return Explanation(question=f"why not {wanted}", answer=tuple(answer), candidate=candidate, findings=findings)


def _compare(candidate: Candidate, recommendation: Recommendation) -> list[str]:
    winner = recommendation.recommended
    if winner is None:
        return []
    differences = {
        t: winner.terms.get(t, 0.0) - candidate.terms.get(t, 0.0) for t in {**winner.terms, **candidate.terms}
    }
    decisive = sorted(differences.items(), key=lambda item: -item[1])
    lines = [
        f"It scores {three(candidate.utility or 0.0)} against {three(winner.utility or 0.0)} of "
        f"#{winner.number} '{winner.plan.label}' on {winner.plan.path}."
    ]
    ahead = ", ".join(f"{term} ({value:+.2f})" for term, value in decisive if value >= 0.05)
    behind = ", ".join(f"{term} ({-value:+.2f})" for term, value in reversed(decisive) if value <= -0.05)
    if ahead:
        lines.append(f"The winner is ahead in {ahead}.")
    if behind:
        lines.append(f"It is itself ahead in {behind}.")
    return lines


def _by_number(recommendation: Recommendation, number: int) -> Candidate:
    if number not in recommendation.by_number:
        last = max(recommendation.by_number)
        raise GoalError(f"there is no candidate {number}", remedy=f"Candidates are numbered 0 to {last}.")
    return recommendation.by_number[number]


def _find(recommendation: Recommendation, wanted: str) -> Candidate | None:
    """A number, or the best placed candidate that uses the technique, alone if possible."""
    if wanted.lstrip("#").isdecimal():
        return _by_number(recommendation, int(wanted.lstrip("#")))
    name = wanted.strip().lower().replace("-", "_").replace(" ", "_")
    from advisor.techniques.registry import all_techniques

    known = [technique.name for technique in all_techniques()]
    if name not in known:
        raise GoalError(f"{wanted!r} is neither a candidate nor a technique", remedy=nearest(name, known))
    using = [c for c in recommendation.candidates if name in c.plan.techniques]
    using.sort(key=lambda c: (len(c.plan.steps), bool(c.rejected_by), -(c.utility or 0.0)))
    return using[0] if using else None
