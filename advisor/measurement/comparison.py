"""Two networks on the same images: the change of a metric with an interval from resampling the images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from advisor.schema import Measurement, Metric

Z95 = 1.959964  # two-sided 95 %


class Scored(Protocol):
    """What a comparison asks of a task."""

    metric: str
    unit: str
    better: Literal["higher", "lower"]
    replicates: int

    def score(self, observations: Sequence[Any]) -> float:
        """Return the metric of these images."""


@dataclass(frozen=True)
class Compared:
    """A metric before and after, in its unit. `delta` and its 95 % interval are positive where after is better.

    Without labels nothing but `after` is known, which then says how alike the answers are.
    """

    images: int
    metric: str
    unit: str
    before: float | None
    after: float
    delta: float | None
    low: float | None
    high: float | None
    standard_error: float
    after_low: float
    after_high: float
    how: str  # the interval comes about
    agreement: float | None = None  # percent of images with the same prediction, where a prediction is one class
    note: str = ""

    @property
    def drop(self) -> float | None:
        """What is lost, positive where after is worse; None without labels."""
        return None if self.delta is None else -self.delta

    @property
    def figures(self) -> dict[str, float]:
        """The figures of a run's record; without labels they are named after what they are."""
        name = "shipped" if self.before is not None else "agreement" if self.agreement is not None else "similarity"
        named = {} if self.before is None else {"original": self.before}
        named |= {name: self.after, f"{name}_low": self.after_low, f"{name}_high": self.after_high}
        named |= {} if self.agreement is None else {"agreement": self.agreement}
        return {name: round(value, 3) for name, value in named.items()}

    def measurement(self, runtime: str, machine: str, split: str) -> Measurement | None:
        """Return the record of the difference; None without labels, for agreement is no accuracy."""
        if self.before is None or self.delta is None or self.low is None or self.high is None:
            return None
        unit = f" {self.unit}" if self.unit else ""
        said = f"{self.metric} {self.before:.2f}{unit} before, {self.after:.2f}{unit} after"
        return Measurement(
            metric=Metric.ACCURACY,
            value=self.delta,
            low=self.low,
            high=self.high,
            n=self.images,
            method=f"{self.metric} of the shipped artefact against the original's on the same {self.images} images "
            f"({split}), positive is better, 95 % interval {self.how}",
            machine=machine,
            runtime=runtime,
            baseline_value=0.0,
            note="; ".join(part for part in (said, self.note) if part),
        )


def compared(task: Scored, before: Sequence[Any], after: Sequence[Any], seed: int) -> Compared:
    """Compare by a bootstrap over images: both networks are scored on the same drawn images (Efron 1979).

    The interval is the normal one with the bootstrap's standard error.
    """
    count = len(before)
    was, now = task.score(before), task.score(after)
    sign = 1 if task.better == "higher" else -1
    random = np.random.default_rng(seed)
    changes, scores = [], []
    for _ in range(task.replicates):
        drawn = random.integers(0, count, count)
        later = task.score([after[i] for i in drawn])
        changes.append(later - task.score([before[i] for i in drawn]))
        scores.append(later)
    spread, own = (float(np.std(values, ddof=1)) for values in (changes, scores))
    delta = sign * (now - was)
    return Compared(
        images=count,
        metric=task.metric,
        unit=task.unit,
        before=was,
        after=now,
        delta=delta,
        low=delta - Z95 * spread,
        high=delta + Z95 * spread,
        standard_error=spread,
        after_low=now - Z95 * own,
        after_high=now + Z95 * own,
        how=f"from {task.replicates} bootstrap samples of the images",
    )
