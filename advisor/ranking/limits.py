"""Hard limits against interval estimates: is it met, how probably, and what would have passed."""

import math
from statistics import NormalDist

from advisor.schema import UNITS, Estimate, Goal, Limit, LimitCheck, Metric
from advisor.units import three

_Z80 = NormalDist().inv_cdf(0.9)  # half width of a central 80 % interval in standard deviations
NAMES = {
    Metric.LATENCY: "latency",
    Metric.SIZE: "file size",
    Metric.MEMORY: "memory",
    Metric.ENERGY: "energy",
    Metric.THROUGHPUT: "throughput",
    Metric.FLASH: "flash",
    Metric.ACCURACY: "accuracy loss",
}


def probability_below(estimate: Estimate, bound: float) -> float:
    """Return P(value <= bound) from the 80 % interval, with a normal half on either side of the middle.

    Costs are compared on a log scale because their errors are ratios; accuracy on a linear one.
    """
    low, mid, high = estimate.low, estimate.mid, estimate.high
    if estimate.metric is not Metric.ACCURACY:
        if bound <= 0:
            return 0.0
        low, mid, high, bound = (math.log(max(x, 1e-12)) for x in (low, mid, high, bound))
    half = (mid - low) if bound < mid else (high - mid)
    if half <= 0:
        return 1.0 if bound >= mid else 0.0
    return NormalDist(mid, half / _Z80).cdf(bound)


def probability_met(limit: Limit, estimate: Estimate) -> float:
    """Return the chance that the limit holds; an accuracy limit bounds the loss, the change with its sign turned."""
    if limit.metric is Metric.ACCURACY:
        turned = {"low": -estimate.high, "mid": -estimate.mid, "high": -estimate.low}
        return probability_below(estimate.model_copy(update=turned), limit.bound)
    return probability_below(estimate, limit.bound)


def check(limit: Limit, estimate: Estimate | None) -> LimitCheck:
    """Compare one estimate with one limit; the middle of the interval decides."""
    name, unit = NAMES[limit.metric], UNITS[limit.metric]
    if estimate is None:
        return LimitCheck(
            limit=limit, estimate=None, met=None, probability=None, needed=f"{name} cannot be predicted here"
        )
    value = max(0.0, -estimate.mid) if limit.metric is Metric.ACCURACY else estimate.mid
    met = value <= limit.bound
    bound = f"{three(limit.bound)} {unit}"
    # Close misses need more digits than three to be seen as misses.
    shown = f"{value:.6g}" if not met and three(value) == three(limit.bound) else three(value)
    needed = f"{name} {shown} {unit} is within {bound}" if met else f"{name} would have to fall from {shown} to {bound}"
    return LimitCheck(
        limit=limit, estimate=estimate, met=met, probability=probability_met(limit, estimate), needed=needed
    )


def check_all(goal: Goal, estimates: dict[Metric, Estimate]) -> tuple[LimitCheck, ...]:
    """Compare every limit of the goal."""
    return tuple(check(limit, _limited(limit, estimates, goal.batch)) for limit in goal.limits)


def _limited(limit: Limit, estimates: dict[Metric, Estimate], batch: int) -> Estimate | None:
    """Return the estimate that the limit speaks of: a rate bounds the time between results, not the way through."""
    rate = estimates.get(Metric.THROUGHPUT)
    if not limit.sustained or rate is None:
        return estimates.get(limit.metric)
    low, mid, high = (1000.0 * batch / value for value in (rate.high, rate.mid, rate.low))
    return rate.model_copy(update={"metric": Metric.LATENCY, "low": low, "mid": mid, "high": high})


def chance_of_all(checks: tuple[LimitCheck, ...]) -> float:
    """Chance that all limits hold, taken as independent; limits on unpredictable metrics count one half."""
    return math.prod(0.5 if c.probability is None else c.probability for c in checks)
