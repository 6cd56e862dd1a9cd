"""What a vendor's own tool estimates for its accelerator: arithmetic on a model of the hardware, not a measurement."""

from .base import Record
from .estimate import Estimate, Metric


class VendorEstimate(Record):
    """The answer of a vendor's estimator. Units of `figures` are those of the metrics: ms, MB (1e6 bytes)."""

    estimator: str  # name and version
    device: str
    file: str
    sha256: str
    settings: dict[str, str]
    figures: dict[Metric, float]
    macs: int
    cycles: dict[str, int]  # total, and by what takes them
    accelerated: tuple[str, ...]  # operators on the accelerator
    fallen: tuple[str, ...]  # operators that the CPU is left with; their time is in no figure
    reasons: tuple[str, ...] = ()  # why
    notes: tuple[str, ...] = ()


class VendorComparison(Record):
    """One figure of a vendor beside our prediction; `inside` is None where both do not speak of the same."""

    metric: Metric
    estimated: float
    predicted: Estimate | None
    inside: bool | None
    note: str = ""


class VendorReport(Record):
    """A vendor's estimate, and how it compares with the prediction of a run."""

    version: int = 1
    estimate: VendorEstimate
    run: str = ""  # model and plan that the prediction is of
    comparisons: tuple[VendorComparison, ...]
