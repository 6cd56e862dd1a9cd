"""The likeliest cause of a miss, from what the run's record knows; what each cause means stands in the knowledge.

The first cause that the record bears out is named. Pure functions of the record.
"""

from dataclasses import dataclass
from functools import lru_cache

from pydantic import RootModel

from advisor.resources import data_dir, read_record
from advisor.schema import Basis, Estimate, Measurement, Metric, Record, RunRecord

_WEAK = (Basis.ROOFLINE, Basis.ASSUMED)
# What predictors write into their notes where a question lies beyond what they rest on.
BEYOND = (
    "were not timed here",
    "unknown operations",
    "known by their sums alone",
    "numbers of threads that were timed",
)
FEW_IMAGES = 100  # calibration images below which a loss is put down to them (CA-01a)
BUSY = 1.0  # load average above which other programs had a share in the time


class Known(Record):
    """A cause as the knowledge describes it."""

    title: str
    rules: tuple[str, ...] = ()
    remedy: str


class _File(RootModel[dict[str, Known]]):
    """The file `causes.yaml`."""


@dataclass(frozen=True)
class Cause:
    """A cause by its key, and what the record says of it in a sentence without a full stop."""

    key: str
    said: str

    @property
    def known(self) -> Known:
        """What the knowledge says of this cause: its rules and what to do."""
        return known_causes()[self.key]


@lru_cache(maxsize=1)
def known_causes() -> dict[str, Known]:
    """Read `knowledge/causes.yaml`."""
    return read_record(data_dir("knowledge") / "causes.yaml", _File).root


def cause_of(record: RunRecord, predicted: Estimate, measured: Measurement) -> Cause:
    """Name the likeliest cause of a miss."""
    if measured.metric is Metric.ACCURACY:
        return _of_accuracy(record, better=measured.value > predicted.high)
    if measured.metric is Metric.MEMORY:
        said = "likely the runtime's own share, which differs between versions, and its copies of weights"
        return Cause("runtime_share", said)
    if measured.metric in (Metric.SIZE, Metric.FLASH):
        return _of_size(record, smaller=measured.value < predicted.low)
    return _of_time(record, predicted, measured)


def disturbed(measured: Measurement) -> str:
    """Return the cause for which a measurement says nothing: throttling where it names that, else noise."""
    said = measured.note.lower()
    return "throttling" if any(word in said for word in ("throttl", "voltage", "°c")) else "noise"


def _of_time(record: RunRecord, predicted: Estimate, measured: Measurement) -> Cause:
    slower = measured.value > predicted.high
    found = _of_graph(record) if slower else None
    if found is not None:
        return found
    load = _number(record, "load_average")
    if slower and load > BUSY:
        return Cause("load", f"the load average was {load:.1f}")
    if any(mark in predicted.note for mark in BEYOND):
        return Cause("out_of_range", "parts of this network lie beyond what the predictor has seen")
    if predicted.basis in _WEAK:
        return Cause("weak_basis", f"the prediction rests on little ({predicted.basis.value})")
    if predicted.seen is not None or predicted.basis in (Basis.CALIBRATED, Basis.MEASURED):
        return Cause("out_of_range", "this network differs from those that the prediction rests on")
    return Cause("uncalibrated", "the prediction for this machine is not calibrated to it")


def _of_graph(record: RunRecord) -> Cause | None:
    """Return what in the artefact makes it slower than its preview."""
    floats, integers = int(_number(record, "heavy_float")), int(_number(record, "heavy_int8"))
    nodes = int(_number(record, "quantize_nodes"))
    precision = record.preview.precision
    if precision.startswith("int8") and floats:
        total = floats + integers
        said = f"{floats} of {total} heavy operations stayed in float and {nodes} quantize nodes are left"
        return Cause("fall_back", said)
    if precision in ("fp16", "bf16"):
        return Cause("emulated", f"the CPU emulates {precision} with casts")
    if any(not check.agrees for check in record.checks):
        return Cause("preview", "the compressed model differs from its preview")
    if _uneven(record):
        return Cause("alignment", "some widths are no multiples of 8, which blocked kernels want")
    if precision.startswith("int8") and integers and nodes > 2 * integers:
        said = f"{nodes} quantize nodes are left between {integers} heavy operations: the runtime fused less"
        return Cause("fusion", said)
    return None


def _uneven(record: RunRecord) -> bool:
    widths = [new for step in record.steps for _, new in step.details.get("widths", {}).values()]
    return any(width % 8 for width in widths)


def _of_size(record: RunRecord, *, smaller: bool) -> Cause:
    if any(not check.agrees for check in record.checks):
        return Cause("preview", "the compressed model differs from its preview")
    if smaller and _random(record):
        return Cause("equal_tensors", "equal tensors of the random weights (norms initialised to zero) are stored once")
    return Cause("file_overhead", "likely graph structure, scales and names, which weigh more in small files")


def _of_accuracy(record: RunRecord, *, better: bool) -> Cause:
    if _random(record):
        return Cause("random_weights", "the weights are random, so accuracy says nothing")
    epochs = sum(int(step.details.get("epochs", 0)) for step in record.steps)
    if better and epochs:
        said = "fine-tuning on these images also improved what the original had not learnt"
        return Cause("better_by_training", said)
    if any("widths" in step.details for step in record.steps) and not epochs:
        return Cause("untrained_cut", "the cut was not followed by fine-tuning")
    images = record.data.calibration if record.data else 0
    if not better and record.preview.precision == "int8" and images < FEW_IMAGES:
        return Cause("few_images", f"only {images} images were there for calibration")
    return Cause("other_data", "this model and data differ from those that the prediction rests on")


def _random(record: RunRecord) -> bool:
    return record.environment.get("random_weights") == "true"


def _number(record: RunRecord, name: str) -> float:
    """Return a figure of the environment; what the system did not tell counts as zero."""
    try:
        return float(record.environment.get(name, ""))
    except ValueError:
        return 0.0
