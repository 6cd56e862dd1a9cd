"""From evaluated candidates to a decision: rejections, Pareto front, score, winner. Nothing disappears."""

from collections.abc import Callable, Container, Iterable, Sequence

from advisor.schema import Candidate, Goal, Metric

from .limits import chance_of_all, check_all
from .pareto import balances, dominates, dominators
from .utility import utility
from .weights import Weights, load_weights
from .yardstick import cost


def rejections(candidate: Candidate) -> tuple[str, ...]:
    """Say which rules and limits reject a candidate; empty if none does."""
    by_rule = [f"{f.rule}: {f.reason}" for f in candidate.findings if f.rejects]
    by_limit = [f"limit {c.limit.metric.value}: {c.needed}" for c in candidate.limits if c.met is False]
    return tuple(by_rule + by_limit)


def decide(
    candidates: Iterable[Candidate], goal: Goal, reference: int, weights: Weights | None = None
) -> tuple[tuple[Candidate, ...], int | None]:
    """Return all candidates with limits, score and status, best first and rejected last, and the winner's number.

    `reference` is the number of "change the runtime only", against which gains are scored.
    """
    weights = weights or load_weights()
    checked = [c.model_copy(update={"limits": check_all(goal, c.estimates)}) for c in candidates]
    base = _references(checked, reference)
    scored = [_score(c, base, goal, weights) for c in checked]
    alive = [c for c in scored if not c.rejected_by]
    beaten = dominators(alive, weights.tie)
    order = sorted(alive, key=_place)
    winner = _winner(order, lambda c: c.number in beaten, goal, weights)
    ranked = [_status(c, winner, beaten) for c in order]
    ranked.sort(key=lambda c: c.status != "recommended")
    rejected = [c.model_copy(update={"status": "rejected"}) for c in scored if c.rejected_by]
    # Those that only miss a limit come first, the likeliest to meet all of them at the head.
    rejected.sort(key=lambda c: (any(f.rejects for f in c.findings), -chance_of_all(c.limits), c.number))
    return tuple(ranked + rejected), winner


def winner_of(candidates: Sequence[Candidate], goal: Goal, reference: int, scored: Container[int] = ()) -> int | None:
    """Return the winner that `decide` would name, without placing the others: what many questions in a row need.

    `scored` are the numbers of candidates that carry the limits and the score of this goal already.
    """
    weights, base = load_weights(), _references(candidates, reference)
    alive = []
    for one in candidates:
        if any(f.rejects for f in one.findings):
            continue
        known = one.number in scored and one.utility is not None
        checked = one if known else one.model_copy(update={"limits": check_all(goal, one.estimates)})
        if all(check.met is not False for check in checked.limits):
            alive.append(checked if known else _score(checked, base, goal, weights))
    order, advice = sorted(alive, key=_place), balances(alive)

    def is_beaten(candidate: Candidate) -> bool:
        return any(dominates(a, candidate, weights.tie, advice) for a in alive if a is not candidate)

    return _winner(order, is_beaten, goal, weights)


def _place(candidate: Candidate) -> tuple[float, int]:
    return -(candidate.utility or 0.0), candidate.number


def _winner(
    order: Sequence[Candidate], is_beaten: Callable[[Candidate], bool], goal: Goal, weights: Weights
) -> int | None:
    """Return the number of the best plan: no steps where none are needed or where they hardly pay."""
    enough = _enough(order, goal, weights)
    if enough is not None or not order:
        return enough
    # The best score wins, unless another candidate beats it in every respect; ties in a ring may beat them all.
    best = next((c for c in order if not is_beaten(c)), order[0])
    plain = next((c for c in order if not c.plan.steps), None)
    if plain is not None and best.plan.steps:
        advantage = (best.utility or 0.0) - (plain.utility or 0.0)
        return plain.number if advantage < weights.least_advantage else best.number
    return best.number


def _references(candidates: Sequence[Candidate], reference: int) -> dict[Metric, float]:
    """Return what gains are scored against: the reference plan, and where it is unknown the dearest plan that is known.

    Only differences between plans matter, so any common reference serves; an accelerator without float has none.
    """
    found: dict[Metric, float] = {}
    for metric in Metric:
        known = [value for c in candidates if (value := cost(c, metric)) is not None]
        own = next((cost(c, metric) for c in candidates if c.number == reference), None)
        if own is not None or known:
            found[metric] = max(known) if own is None else own
    return found


def _enough(order: Sequence[Candidate], goal: Goal, weights: Weights) -> int | None:
    """Return the best plan without any step, if it very probably meets stated limits on cost and no more is asked."""
    return next((c.number for c in order if enough_without(c, goal, weights)), None)


def enough_without(candidate: Candidate | None, goal: Goal, weights: Weights | None = None) -> bool:
    """Whether a plan has no steps and needs none: it very probably meets stated limits on cost and no more is asked."""
    if candidate is None or candidate.plan.steps or goal.kind != "balanced":
        return False
    if all(limit.metric is Metric.ACCURACY for limit in goal.limits):
        return False
    return chance_of_all(candidate.limits) >= (weights or load_weights()).enough_chance


def _score(candidate: Candidate, base: dict[Metric, float], goal: Goal, weights: Weights) -> Candidate:
    terms = utility(candidate, base, goal, weights)
    return candidate.model_copy(
        update={"terms": terms, "utility": round(sum(terms.values()), 4), "rejected_by": rejections(candidate)}
    )


def _status(candidate: Candidate, winner: int | None, beaten: dict[int, int]) -> Candidate:
    number = candidate.number
    status = "recommended" if number == winner else "dominated" if number in beaten else "feasible"
    return candidate.model_copy(
        update={"status": status, "dominated_by": beaten.get(number), "pareto": number not in beaten}
    )
