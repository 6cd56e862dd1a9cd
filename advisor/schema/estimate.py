"""Numbers that are honest about themselves: estimates with an interval and a basis, measurements with a method."""

from enum import StrEnum

from pydantic import model_validator

from .base import Record


class Metric(StrEnum):
    """What is predicted and measured; the unit is part of the name."""

    LATENCY = "latency_ms"  # one inference at the goal's batch
    SIZE = "size_mb"  # the artefact's file, 1 MB = 1e6 bytes
    MEMORY = "memory_mb"  # peak of weights + live activations + runtime, 1 MB = 1e6 bytes
    ENERGY = "energy_mj"  # one inference
    THROUGHPUT = "throughput_fps"  # images per second of units that work on several at once; more is better
    FLASH = "flash_mb"  # weights, graph and runtime's code of a device without an operating system, 1 MB = 1e6 bytes
    ACCURACY = "accuracy_delta_pp"  # compressed minus original, percentage points (negative = loss)


UNITS = {
    Metric.LATENCY: "ms",
    Metric.SIZE: "MB",
    Metric.MEMORY: "MB",
    Metric.ENERGY: "mJ",
    Metric.THROUGHPUT: "images/s",
    Metric.FLASH: "MB",
    Metric.ACCURACY: "pp",
}


class Basis(StrEnum):
    """Where a prediction comes from, best first."""

    EXACT = "exact"  # arithmetic on known quantities
    MEASURED = "measured here"
    CALIBRATED = "calibrated"
    FITTED = "fitted"
    PUBLISHED = "published"
    ROOFLINE = "roofline"
    ASSUMED = "assumed"


class Seen(Record):
    """What an estimate was before outcomes of the device changed it; `times` are those of this form and runtime.

    `elsewhere` of them were imported.
    """

    times: int
    elsewhere: int = 0
    low: float
    mid: float
    high: float


class Estimate(Record):
    """A prediction: `low <= mid <= high` is an 80 % interval unless `basis` is exact.

    `references` are source ids of `knowledge/`; `note` says in one sentence what the number rests on. `parts` splits
    the middle into named shares of the same unit ("runtime", "weights", "activations") where they are known apart.
    `risks` are probabilities by event ("loses more than 5 points"); `nearest` are published cases like this one.
    `seen` is there where outcomes measured on the device moved the estimate. `figures` tells apart the versions of what
    a prediction rests on; empty where that is unknown.
    """

    metric: Metric
    low: float
    mid: float
    high: float
    basis: Basis
    predictor: str
    n: int | None = None
    references: tuple[str, ...] = ()
    note: str = ""
    parts: dict[str, float] = {}
    risks: dict[str, float] = {}
    nearest: tuple[str, ...] = ()
    seen: Seen | None = None
    figures: str = ""

    @model_validator(mode="after")
    def _ordered(self) -> "Estimate":
        if not self.low <= self.mid <= self.high:
            raise ValueError(f"estimate of {self.metric}: {self.low} <= {self.mid} <= {self.high} does not hold")
        return self

    @property
    def unit(self) -> str:
        """Unit of the three figures."""
        return UNITS[self.metric]


class Gain(Record):
    """A candidate's effect on one metric against a named baseline: ratio = baseline / candidate for costs.

    For accuracy the `ratio` is None and `low..high` are percentage points.
    """

    metric: Metric
    baseline: str  # label of the baseline plan: "onnxruntime/cpu fp32"
    low: float
    mid: float
    high: float


class Measurement(Record):
    """A figure that was measured: how, where, how often, with which spread.

    For accuracy `value` is the compressed top-1 minus the original's on the same images, in points.
    """

    metric: Metric
    value: float
    low: float  # lower quartile over rounds, or bound of the confidence interval
    high: float
    n: int  # rounds, or images
    method: str  # one sentence: clock, rounds, warm-up, interleaving, split
    machine: str
    runtime: str
    baseline_value: float | None = None  # the same quantity of the baseline, measured in the same way
    conclusive: bool = True
    note: str = ""


class GainVerdict(Record):
    """Predicted against measured gain over the baseline in the same runtime; ratio = baseline / candidate."""

    metric: Metric
    predicted: Gain
    measured: float | None
    hit: bool | None


class Verdict(Record):
    """Predicted against measured for one metric; `hit` is None where no comparison is possible.

    A miss has a likely `cause` (a key of `knowledge/causes.yaml`) and the ids of the `rules` that speak of it.
    """

    metric: Metric
    predicted: Estimate | None
    measured: Measurement | None
    hit: bool | None
    explanation: str
    cause: str = ""
    rules: tuple[str, ...] = ()
