"""Latency and energy of all plans on one yardstick, for the score alone; what is shown to people are the estimates.

Each estimate comes from the predictor that is surest of it. Between two of them lies the difference of their errors
too: a measured time beside a roofline's guess would decide by the guess. So the plans of one path are compared by their
gains, which one predictor gives for both sides, from the best known time among them: that plan's time, times its own
gain, over the gain of the other. Between paths no such bridge exists; there the plans of a path count with costs
between the middle and the dear end of the interval of its best known plan, so that a path of which little is known has
to be clearly better. Eager execution, where it is a guess, counts as no faster than a deployment runtime on the same
unit whose time is known: everywhere it was measured beside one it was slower (RT-14b). What cannot be predicted at all
is presumed dear.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import inf, log

from advisor.schema import Basis, Candidate, Estimate, Metric

from .weights import Weights

COSTS = (Metric.LATENCY, Metric.SIZE, Metric.MEMORY, Metric.ENERGY)
_NEAREST = (Basis.EXACT, Basis.MEASURED, Basis.PUBLISHED, Basis.CALIBRATED, Basis.FITTED, Basis.ROOFLINE, Basis.ASSUMED)
_GUESSED = (Basis.ROOFLINE, Basis.ASSUMED)
_EAGER = "pytorch"


def compared(candidates: Iterable[Candidate], weights: Weights) -> list[Candidate]:
    """Return the candidates with the costs that the score compares under `compared`."""
    paths: dict[tuple[str, int | None], list[Candidate]] = defaultdict(list)
    listed = list(candidates)
    for one in listed:
        paths[one.plan.path, one.plan.threads].append(one)
    costs = {n: cost for plans in paths.values() for n, cost in _of_path(plans, weights).items()}
    _hold_eager_back(paths.values(), costs)
    for metric in (Metric.LATENCY, Metric.ENERGY):
        known = [found[metric] for found in costs.values() if metric in found]
        for found in costs.values() if known else ():
            found.setdefault(metric, max(known) * weights.unknown_cost)
    return [one.model_copy(update={"compared": costs[one.number]}) for one in listed]


def _hold_eager_back(paths: Iterable[Sequence[Candidate]], costs: dict[int, dict[Metric, float]]) -> None:
    """Raise guessed costs of eager execution to the known ones of the unchanged network elsewhere on the unit."""
    unchanged = [(one, plans) for plans in paths for one in plans if not one.plan.steps and costs[one.number]]
    for eager, plans in unchanged:
        if eager.plan.runtime != _EAGER or not _guessed(eager):
            continue
        others = [
            costs[other.number][Metric.LATENCY]
            for other, _ in unchanged
            if other.plan.runtime != _EAGER and other.plan.unit == eager.plan.unit and not _guessed(other)
        ]
        factor = max(1.0, min(others, default=0.0) / costs[eager.number][Metric.LATENCY])
        for one in plans:
            costs[one.number] = {metric: cost * factor for metric, cost in costs[one.number].items()}


def _guessed(one: Candidate) -> bool:
    return one.estimates[Metric.LATENCY].basis in _GUESSED


def cost(candidate: Candidate, metric: Metric) -> float | None:
    """Return the cost that plans are compared by; None where it is not known."""
    return presumed(candidate, metric) if metric in candidate.estimates else None


def presumed(candidate: Candidate, metric: Metric) -> float | None:
    """Return the same, and for what cannot be predicted what the score presumes."""
    known = candidate.compared.get(metric)
    estimate = candidate.estimates.get(metric)
    return known if known is not None else estimate.mid if estimate is not None else None


def _of_path(plans: Sequence[Candidate], weights: Weights) -> dict[int, dict[Metric, float]]:
    anchor = _anchor(plans)
    doubt = None if anchor is None else anchor.estimates[Metric.LATENCY]
    found: dict[int, dict[Metric, float]] = {}
    for one in plans:
        own = one.estimates.get(Metric.LATENCY)
        if own is None or own.mid <= 0:
            found[one.number] = {}
            continue
        doubtful = doubt or own
        share = weights.guess_pessimism if doubtful.basis in _GUESSED else weights.cost_pessimism
        latency = _bridged(one, own, anchor) * (doubtful.high / doubtful.mid) ** share
        energy = one.estimates.get(Metric.ENERGY)
        found[one.number] = {Metric.LATENCY: latency}
        if energy is not None:  # power times latency: it follows
            found[one.number][Metric.ENERGY] = energy.mid * latency / own.mid
    return found


def _anchor(plans: Sequence[Candidate]) -> Candidate | None:
    """Return the plan whose latency is known best: by what it rests on, then by the width of its interval."""
    known = [p for p in plans if {Metric.LATENCY} <= p.gains.keys() & p.estimates.keys()]
    return min((p for p in known if p.gains[Metric.LATENCY].mid > 0), key=_vagueness, default=None)


def _vagueness(plan: Candidate) -> tuple[int, float, int]:
    found = plan.estimates[Metric.LATENCY]
    width = round(log(found.high / found.low), 6) if found.low > 0 else inf
    return _NEAREST.index(found.basis), width, plan.number


def _bridged(one: Candidate, own: Estimate, anchor: Candidate | None) -> float:
    """Return a plan's latency on the anchor's yardstick."""
    gain = one.gains.get(Metric.LATENCY)
    if anchor is None or gain is None or gain.mid <= 0:
        return own.mid
    best = anchor.estimates[Metric.LATENCY]
    return own.mid if own.predictor == best.predictor else best.mid * anchor.gains[Metric.LATENCY].mid / gain.mid
