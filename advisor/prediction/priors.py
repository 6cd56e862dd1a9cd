"""Priors of the accuracy change: the situations of `knowledge/prediction/accuracy.yaml` and which one applies."""

from functools import lru_cache
from itertools import pairwise
from math import log
from typing import Any, Literal

from pydantic import model_validator

from advisor.schema import OpKind, Record, Step, Workload

from .figures import read_figures
from .query import Query

Situation = dict[str, Any]
Span = tuple[float, float, float]


class Prior(Record):
    """One situation: `when` must hold for all its keys; lists mean any of these."""

    id: str
    technique: str
    when: dict[str, Any] = {}
    shape: Literal["constant", "log_kept", "curve"]
    low: float = 0.0
    mid: float = 0.0
    high: float = 0.0
    slope: float = 0.0
    x: Literal["macs_removed", "params_removed", "sparsity", "log_side"] = "macs_removed"
    points: tuple[tuple[float, float, float, float], ...] = ()
    n: int | None = None
    sources: tuple[str, ...]
    note: str
    pooled: bool = False  # published results of the very network, where there are any, say more

    @model_validator(mode="after")
    def _ordered(self) -> "Prior":
        if self.shape == "constant" and not self.low <= self.mid <= self.high:
            raise ValueError(f"{self.id}: low <= mid <= high does not hold")
        if self.shape == "log_kept" and not self.low <= 0 <= self.high:
            raise ValueError(f"{self.id}: offsets must enclose 0")
        if self.shape == "curve":
            if not self.points or any(not a[0] < b[0] for a, b in pairwise(self.points)):
                raise ValueError(f"{self.id}: a curve needs points in order of x")
            if any(not p[1] <= p[2] <= p[3] for p in self.points):
                raise ValueError(f"{self.id}: low <= mid <= high does not hold in every point")
        return self

    def holds(self, situation: Situation) -> bool:
        """Whether every condition holds; what is not known matches nothing."""
        return all(
            situation.get(key) in wanted if isinstance(wanted, list) else situation.get(key) == wanted
            for key, wanted in self.when.items()
        )

    def at(self, situation: Situation) -> Span:
        """Return low, mid and high in points for this situation."""
        if self.shape == "constant":
            return self.low, self.mid, self.high
        if self.shape == "log_kept":
            cut = max(-log(max(1.0 - situation["macs_removed"], 1e-3)), 0.0)
            # Nothing removed, nothing lost: the offsets grow to their full size over the first tenth of MACs removed.
            grown = min(1.0, cut / 0.1)
            return -self.slope * cut + self.low * grown, -self.slope * cut, -self.slope * cut + self.high * grown
        return _interpolate(self.points, max(situation[self.x], 0.0))


def _interpolate(points: tuple[tuple[float, float, float, float], ...], x: float) -> Span:
    before = (0.0, 0.0, 0.0, 0.0)
    for point in points:
        if x <= point[0]:
            share = (x - before[0]) / (point[0] - before[0])
            low, mid, high = (a + share * (b - a) for a, b in zip(before[1:], point[1:], strict=True))
            return low, mid, high
        before = point
    return before[1:]


class Widening(Record):
    """How far intervals grow in circumstances that the priors do not cover."""

    side: int = 0
    epochs: int = 0
    widen: float = 1.0
    widen_low: float = 1.0
    n: int | None = None
    source: str


class Distillation(Record):
    """Gain of a student with teacher over the same student alone; at most `cap` above the student's own accuracy."""

    low: float
    mid: float
    high: float
    cap: float
    n: int
    source: str


class AccuracyFile(Record):
    """The file `accuracy.yaml`."""

    priors: tuple[Prior, ...]
    combination: Widening
    small_images: Widening
    short_training: Widening
    distillation: Distillation
    sources: dict[str, str]

    @model_validator(mode="after")
    def _sources_exist(self) -> "AccuracyFile":
        for prior in self.priors:
            for source in prior.sources:
                if source not in self.sources:
                    raise ValueError(f"{prior.id}: unknown source {source!r}")
        return self


@lru_cache(maxsize=1)
def figures() -> AccuracyFile:
    """Read `knowledge/prediction/accuracy.yaml`."""
    return read_figures("accuracy", AccuracyFile)


def prior_for(step: Step, situation: Situation) -> Prior | None:
    """Return the first prior of the step's technique whose conditions hold."""
    return next((p for p in figures().priors if p.technique == step.technique and p.holds(situation)), None)


def situation(query: Query, step: Step) -> Situation:
    """Return what is known about a step on this model, in the vocabulary of the priors."""
    facts, before, after = query.facts, query.before, query.after
    side = _side(before)
    float_kinds = set(getattr(step, "float_kinds", ()))
    return {
        "family": facts.get("model.family"),
        "task": facts.get("model.task"),
        "head_type": facts.get("model.head_type"),
        "depthwise": _depthwise(query),
        "searched": bool(facts.get("model.searched_mobile", False)),
        "reparam": facts.get("model.reparam_state") in ("training", "deployed"),  # exporting fuses the branches
        "small_images": 0 < side <= figures().small_images.side,
        "trained": getattr(step, "epochs", 0) > 0,
        "weights": getattr(step, "weights", None),
        "power_of_two": getattr(step, "power_of_two_scales", False),
        "method": getattr(step, "method", None),
        "bits": getattr(step, "bits", None),
        "grouped": getattr(step, "group_size", 0) > 0,
        "pattern": getattr(step, "pattern", None),
        "dtype": getattr(step, "dtype", None),
        "sparsity": getattr(step, "sparsity", 0.0),
        "float_norm": {OpKind.NORM_LAYER.value, OpKind.SOFTMAX.value} <= float_kinds,
        "macs_removed": _removed(before.macs, after.macs),
        "params_removed": _removed(before.params, after.params),
        "log_side": log(side / _side(after)) if side and _side(after) else 0.0,
    }


def _depthwise(query: Query) -> bool:
    known = query.facts.get("model.has_depthwise")
    family = query.facts.get("model.family")
    if family is not None and family not in ("depthwise_cnn", "hybrid", "other"):
        # ConvNeXt and detectors also hold depthwise convolutions; the mobile priors are for mobile families.
        return family == "detector" and bool(known)
    return family == "depthwise_cnn" or (family != "hybrid" and bool(known))


def _removed(before: int, after: int) -> float:
    return min(max(1.0 - after / before, 0.0), 0.999) if before else 0.0


def _side(workload: Workload) -> int:
    shape = workload.input_shapes[0] if workload.input_shapes else ()
    return min(shape[-2:]) if len(shape) == 4 else 0
