"""What a predictor is asked, what it must offer, and the list of predictors."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from advisor.schema import Device, Estimate, ExecPath, Metric, Plan, Step, Workload


@dataclass(frozen=True)
class Query:
    """One plan on one device: `before` is the original network, `after` what the plan's steps make of it."""

    plan: Plan
    before: Workload
    after: Workload
    device: Device
    facts: dict[str, Any] = field(default_factory=dict)
    shared: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)  # results that predictors share

    @cached_property
    def path(self) -> ExecPath | None:
        """The execution path of the plan on this device, if the profile lists it."""
        return self.device.path(self.plan.runtime, self.plan.unit)

    @property
    def threads(self) -> int:
        """The threads of the plan: as stated, else all that the path has."""
        if self.plan.threads is not None:
            return self.plan.threads
        if self.path is not None and self.path.threads:
            return self.path.threads
        tables = self.device.calibration.tables if self.device.calibration is not None else ()
        return max((table.threads for table in tables), default=1)

    def step(self, *techniques: str) -> Step | None:
        """Return the plan's last step of one of these techniques."""
        return next((step for step in reversed(self.plan.steps) if step.technique in techniques), None)


class Predictor(Protocol):
    """One way to predict one metric."""

    name: str
    metric: Metric

    def supports(self, query: Query) -> float | None:
        """Return the confidence (0 to 1) for this query, or None where no answer is possible."""

    def estimate(self, query: Query) -> Estimate:
        """Return the prediction; called only where `supports` gave a confidence."""

    def absence(self, query: Query) -> str:
        """Say in one sentence why no answer is possible."""


@dataclass(frozen=True)
class Answer:
    """A predictor's estimate with the confidence it stated."""

    confidence: float
    estimate: Estimate


_PREDICTORS: list[Predictor] = []


def register(make: Callable[[], Predictor]) -> Callable[[], Predictor]:
    """Add the predictor that a class makes; two of the same name are a mistake."""
    predictor = make()
    if any(known.name == predictor.name for known in _PREDICTORS):
        raise ValueError(f"predictor {predictor.name!r} is registered twice")
    _PREDICTORS.append(predictor)
    return make


def predictors(metric: Metric) -> tuple[Predictor, ...]:
    """Every predictor of a metric, in order of registration."""
    return tuple(p for p in _PREDICTORS if p.metric == metric)
