"""What a probe of the user's own model makes of a predicted accuracy: the prior, weighed against what was measured.

Bayes on a grid of points: the prior is Student's t on either side of its middle, with tails so heavy that a measurement
which contradicts it wins; the measurement is normal.
"""

from collections.abc import Mapping
from functools import lru_cache
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.schema import Basis, Estimate, Metric, Plan, Probed, ProbeRecord, Record

from .accuracies.answer import NOTICEABLE, RUINOUS
from .figures import read_figures
from .query import Answer
from .risks import named_risks

_SURE = 0.99  # confidence of the answer: it holds all that the others know, and a measurement
_GRID = np.linspace(-100.0, 60.0, 16001)  # points, in steps of 0.01
_NARROWEST = 0.02  # points; half of an interval is at least as wide
_UNKNOWN = (-30.0, -2.0, 2.0)  # 80 % interval where there is no prior


class Transfer(Record):
    """Standard deviation in points between what was probed and what ships."""

    here: float
    other: float


class Unlabelled(Record):
    """Net loss as a share of the changed answers: `at_none` where hardly any changed, more by `slope` with all."""

    at_none: float
    slope: float
    spread: float


class SeenImages(Record):
    """Loss on new images over the loss on images that the network was trained on: a factor and its spread.

    `unnoticed`: standard deviation in points of what such images, which are easy, do not show.
    """

    factor: float
    spread: float
    unnoticed: float


class Short(Record):
    """Part of a loss that the rest of a training recovers when the probe had time for a part of it."""

    recovers: float
    spread: float


class Figures(Record):
    """knowledge/prediction/probe.yaml."""

    transfer: Transfer
    unlabelled: Unlabelled
    seen: SeenImages
    short: Short
    tails: float
    seldom: float


@lru_cache(maxsize=1)
def figures() -> Figures:
    """Return the figures of the probe."""
    return read_figures("probe", Figures)


def with_probe(
    answers: Mapping[Metric, tuple[Answer, ...]], plan: Plan, probe: ProbeRecord | None
) -> dict[Metric, tuple[Answer, ...]]:
    """Return the answers with one more for the accuracy where the probe looked at the plan's network."""
    found = None if probe is None else probe.of(plan)
    if probe is None or found is None:
        return dict(answers)
    before = answers.get(Metric.ACCURACY, ())
    prior = before[0].estimate if before else None
    answer = Answer(_SURE, updated(prior, found, probe, plan.runtime))
    return {**answers, Metric.ACCURACY: (answer, *before)}


def updated(prior: Estimate | None, found: Probed, probe: ProbeRecord, runtime: str) -> Estimate:
    """Return the prediction in points after the probe; `runtime` is that of the plan."""
    low, mid, high = _UNKNOWN if prior is None else (prior.low, prior.mid, prior.high)
    same_file = runtime == probe.runtime or not _quantized(found.plan)
    middle, spread = evidence(found, same_file=same_file, seen=probe.seen)
    density = _prior(low, mid, high) * np.exp(-0.5 * ((_GRID - middle) / spread) ** 2)
    if found.delta is None and found.agreement is not None:  # no more can be lost or won than has changed
        margin = 100 - found.agreement + 2 * spread
        density[np.abs(_GRID) > margin] = 0.0
    if not density.sum() > 0:  # the measurement lies where the prior has no mass at all
        density = np.exp(-0.5 * ((_GRID - middle) / spread) ** 2)
    below = np.cumsum(density) / density.sum()
    low, mid, high = (float(np.interp(q, below, _GRID)) for q in (0.1, 0.5, 0.9))
    risks = {points: float(np.interp(-points, _GRID, below)) for points in (NOTICEABLE, RUINOUS)}
    return Estimate(
        metric=Metric.ACCURACY, low=min(low, mid - _NARROWEST), mid=mid, high=max(high, mid + _NARROWEST),
        basis=Basis.MEASURED if found.delta is not None else Basis.FITTED, predictor="probe", n=found.images,
        references=() if prior is None else prior.references, note=_said(prior, found, probe),
        risks=named_risks(risks), nearest=() if prior is None else prior.nearest,
    )  # fmt: skip


def evidence(found: Probed, *, same_file: bool, seen: bool) -> tuple[float, float]:
    """Return middle and standard deviation in points of what a probe says of the change.

    `seen`: the network may have been trained on the images.
    """
    known = figures()
    transfer = known.transfer.here if same_file else known.transfer.other
    if found.delta is not None:
        middle, spread = found.delta, max(found.standard_error or 0.0, 100 * sqrt(known.seldom) / max(found.images, 1))
    else:
        changed = 100 - (found.agreement or 0.0)
        share = known.unlabelled.at_none + known.unlabelled.slope * changed / 100
        middle = -share * changed
        chance = 100 * sqrt(max(changed / 100, known.seldom / max(found.images, 1)) / max(found.images, 1))
        spread = sqrt((known.unlabelled.spread * changed) ** 2 + chance**2)
    if seen:
        spread = sqrt(spread**2 + (known.seen.spread * middle) ** 2 + known.seen.unnoticed**2)
        middle *= known.seen.factor
    if found.epochs < found.planned and middle < 0:
        missing = 1 - found.epochs / found.planned
        spread = sqrt(spread**2 + (known.short.spread * missing * middle) ** 2)
        middle *= 1 - known.short.recovers * missing
    return middle, sqrt(spread**2 + transfer**2)


def _prior(low: float, mid: float, high: float) -> NDArray[Any]:
    """Return the density of a prediction on the grid, up to a factor."""
    from scipy.stats import t as student

    reach = float(student.ppf(0.9, figures().tails))
    scale = np.where(mid > _GRID, max(mid - low, _NARROWEST), max(high - mid, _NARROWEST)) / reach
    density: NDArray[Any] = student.pdf((_GRID - mid) / scale, figures().tails) / scale  # half of the mass on each side
    return density


def _quantized(plan: Plan) -> bool:
    return any(step.technique in {"static_int8", "dynamic_int8", "qat", "weight_only"} for step in plan.steps)


def _said(prior: Estimate | None, found: Probed, probe: ProbeRecord) -> str:
    """Say in a sentence what was measured and what was thought before."""
    if found.delta is not None:
        said = f"measured here on {found.images} of your images: {found.delta:+.2f} points"
        if found.low is not None and found.high is not None:
            said += f" ({found.low:+.2f} to {found.high:+.2f}, 95 %)"
        if found.agreement is not None:
            said += f", {found.agreement:.1f} % of answers stay"
    else:
        said = f"{found.agreement:.1f} % of answers stay on {found.images} unlabelled images, which is no accuracy"
    if found.epochs < found.planned:
        said += f", after {found.epochs} of {found.planned} epochs"
    if prior is not None:
        said += f"; before that {prior.mid:+.2f} ({prior.low:+.2f} to {prior.high:+.2f}, {prior.basis.value})"
    return f"{said}; {probe.runtime} ran it"
