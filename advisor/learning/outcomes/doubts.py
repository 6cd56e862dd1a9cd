"""Outcomes that teach nothing, with the reason: what the record itself says, mistakes of units, and lonely outliers."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from advisor.prediction.figures import figures_version
from advisor.prediction.seen import deviations
from advisor.schema import Metric

from .outcome import Figure, Outcome
from .reading import PORTABLE
from .shrinkage import Error

FAR = 4.0  # claimed deviations beyond which an error needs others that confirm it: one in 15,000 by the interval
NEAR = 2.0  # of an error, to count as its confirmation
CONFIRMED_BY = 2  # others, at least; and
CONFIRMED_SHARE = 0.25  # of all others in the runtime: a few wrong ones must not confirm each other
DOUBTED = 0.25  # weight below which an outcome is named as far from the others; it teaches nothing then
_UNITS = {1e3: "1,000", 1e6: "1,000,000"}
_NOT_THROTTLED = ("no", "", "unknown", "false")  # else what slowed it down, in words


@dataclass(frozen=True)
class Doubt:
    """Why a figure of an outcome is set aside."""

    outcome: str
    metric: Metric
    reason: str


def own_doubt(outcome: Outcome, figure: Figure) -> str:
    """Say why a figure teaches nothing by what its own record tells; empty where it may."""
    if figure.figures and figure.figures != figures_version(figure.metric):
        return "what predictions rest on has changed since: the error is that of an earlier version"
    if not figure.conclusive:
        return f"the measurement was inconclusive: {figure.note}".rstrip(": ")
    if figure.metric is Metric.ACCURACY:
        if outcome.random_weights:
            return "the weights were random"
        if outcome.accuracy_metric not in ("", "top-1"):
            return f"the prediction is of top-1, measured was {outcome.accuracy_metric}"
    elif figure.measured <= 0:
        return "a cost of zero or less was measured"
    throttled = outcome.environment.get("throttled", "no")
    if figure.metric not in PORTABLE and throttled.lower() not in _NOT_THROTTLED:
        return f"the device was slowed down meanwhile: {throttled}"
    return ""


def unit_mistake(figure: Figure) -> str:
    """Name the factor by which a unit was mistaken, where that explains a figure and nothing else does; else empty."""
    before = figure.before
    claimed = None if before is None else deviations(figure.metric, *before)
    if figure.metric is Metric.ACCURACY or before is None or claimed is None or figure.measured <= 0:
        return ""
    gap = log(figure.measured) - log(before[1])
    if abs(gap) / _side(gap, claimed) <= FAR:
        return ""
    for factor, name in _UNITS.items():
        rest = abs(gap) - log(factor)
        if abs(rest) / _side(rest * gap, claimed) <= FAR and abs(rest) < log(factor) / 4:
            return f"a factor of {name} {'above' if gap > 0 else 'below'} the prediction: another unit, it seems"
    return ""


def _side(gap: float, claimed: tuple[float, float]) -> float:
    return claimed[1] if gap > 0 else claimed[0]


def unconfirmed(errors: Sequence[Error], which: int) -> bool:
    """Tell whether an error is far from the prediction and others of its runtime do not bear it out."""
    own = errors[which]
    if abs(own.size) <= FAR:
        return False
    others = [e for i, e in enumerate(errors) if i != which and e.kind.runtime == own.kind.runtime]
    near = sum(abs(e.size - own.size) <= NEAR for e in others)
    return near < max(CONFIRMED_BY, CONFIRMED_SHARE * len(others))
