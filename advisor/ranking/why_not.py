"""Why not that plan: the rule or limit that rejects it, the clause that fails, what would pass, or what decides."""

import re
from collections.abc import Iterator

from advisor.schema import UNITS, Candidate, Explanation, Finding, LimitCheck, Metric, Recommendation, TraceNode, Truth
from advisor.units import three

from .choosing import by_number, matching, read_wish
from .explain import fired, points
from .limits import NAMES, chance_of_all
from .naming import named
from .proposals import never_proposed
from .weights import load_weights

_FIGURE = re.compile(r"[<>]|\b(holds|lacks|common|true|false)\b")
_NOTHING = re.compile(r"<=? 0( B)?$")
_TOLD = 0.05  # terms that differ by less are not named


def _clause(node: TraceNode) -> str:
    holds = "holds" if node.truth is Truth.TRUE else "does not hold"
    return f"{node.shown} {holds}; what would pass: {node.passes_if}"


def _turning(trace: TraceNode | None) -> Iterator[TraceNode]:
    if trace is not None:
        if trace.passes_if:
            yield trace
        for child in trace.children:
            yield from _turning(child)


def telling_values(trace: TraceNode | None) -> tuple[str, ...]:
    """The comparisons of a trace that would turn it, with the value that would do; the most telling kind alone.

    A figure or a capability tells more than another device, and that more than another plan. That a figure would have
    to be nothing at all only says that a rule does not speak of devices without it.
    """
    nodes = list(_turning(trace))
    kinds = (
        [n for n in nodes if _FIGURE.search(n.passes_if) and not _NOTHING.search(n.passes_if)],
        [n for n in nodes if not n.text.startswith("plan.")],
        nodes,
    )
    return tuple(_clause(node) for node in next((kind for kind in kinds if kind), []))


def why_not(recommendation: Recommendation, wanted: str) -> Explanation:
    """Explain why a candidate is not the recommendation: by number, technique, settings, runtime and unit."""
    wish = read_wish(wanted)
    question = f"why not {wanted}"
    if isinstance(wish, int):
        found: tuple[Candidate, ...] = (by_number(recommendation, wish),)
    elif not (found := matching(recommendation, wish)):
        return Explanation(question=question, answer=tuple(never_proposed(recommendation, wish, wanted)))
    candidate = found[0]
    if candidate.number == recommendation.winner:
        return Explanation(
            question=question, answer=(f"{named(candidate)} is the recommendation.",), candidate=candidate
        )
    answer = [f"{named(candidate)} is {candidate.status}."]
    if len(found) > 1:
        answer[0] += f" It is the plainest of {len(found)} such plans."
    rejecting = tuple(f for f in candidate.findings if f.rejects)
    answer += [f"Rejected by {f.rule}: {f.reason}" for f in rejecting]
    answer += [f"{f.rule}: {text}." for f in rejecting for text in telling_values(f.trace)]
    answer += [_missed(check) for check in candidate.limits if check.met is False]
    if not candidate.rejected_by:
        answer += _what_decides(candidate, recommendation)
    return Explanation(
        question=question,
        answer=tuple(answer),
        candidate=candidate,
        findings=rejecting or _speaking(candidate),
        points=points(candidate, recommendation.goal),
    )


def _speaking(candidate: Candidate) -> tuple[Finding, ...]:
    return tuple(f for f in fired(candidate) if f.kind in ("avoid", "warn", "estimate"))


def _missed(check: LimitCheck) -> str:
    """Say by how much a limit is missed."""
    metric, estimate = check.limit.metric, check.estimate
    if estimate is None:
        return f"The {NAMES[metric]} cannot be predicted here."
    if metric is Metric.ACCURACY:
        by = f"{three(-estimate.mid - check.limit.bound)} {UNITS[metric]}"
    else:
        by = f"{100 * (estimate.mid / check.limit.bound - 1):.0f} %" if check.limit.bound else "any amount"
    chance = "" if check.probability is None else f" The chance of meeting it all the same is {check.probability:.0%}."
    return f"The limit on {NAMES[metric]} is missed by {by}: {check.needed}.{chance}"


def _what_decides(candidate: Candidate, recommendation: Recommendation) -> Iterator[str]:
    winner = recommendation.recommended
    if winner is None:
        return
    yield (f"It scores {three(candidate.utility or 0.0)} against {three(winner.utility or 0.0)} of {named(winner)}.")
    yield from _terms(candidate, winner)
    if candidate.dominated_by is not None:
        better = recommendation.by_number[candidate.dominated_by]
        yield f"{named(better)} is at least as good in every respect{_better_in(better, candidate)}."
    elif (candidate.utility or 0.0) >= (winner.utility or 0.0):
        yield _despite_its_score(candidate, winner)


def _terms(candidate: Candidate, winner: Candidate) -> Iterator[str]:
    names = {**winner.terms, **candidate.terms}
    ahead = {t: winner.terms.get(t, 0.0) - candidate.terms.get(t, 0.0) for t in names}
    order = sorted(ahead.items(), key=lambda item: -item[1])
    if before := ", ".join(f"{term} ({value:+.2f})" for term, value in order if value >= _TOLD):
        yield f"The winner is ahead in {before}."
    if behind := ", ".join(f"{term} ({-value:+.2f})" for term, value in reversed(order) if value <= -_TOLD):
        yield f"It is itself ahead in {behind}."


def _better_in(better: Candidate, worse: Candidate) -> str:
    told = [
        f"{NAMES[metric]} {three(abs(mine.mid))} against {three(abs(other.mid))} {UNITS[metric]}"
        for metric, mine in better.estimates.items()
        if (other := worse.estimates.get(metric)) is not None and three(mine.mid) != three(other.mid)
    ]
    return f" ({', '.join(told[:3])})" if told else ""


def _despite_its_score(candidate: Candidate, winner: Candidate) -> str:
    """Say why the better score does not win: what needs no compression goes first, or the lead is too small."""
    weights = load_weights()
    if not winner.plan.steps and winner.limits and chance_of_all(winner.limits) >= weights.enough_chance:
        return (
            f"The winner needs no compression and meets the limits with a chance of {chance_of_all(winner.limits):.0%}."
        )
    if not winner.plan.steps:
        return f"A lead of less than {weights.least_advantage:g} does not pay for the work that steps make."
    return "Plans of the same score go by their number."
