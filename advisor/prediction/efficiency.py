"""Efficiencies by runtime, class of unit and arithmetic: which share of the published peaks a network reaches."""

from functools import lru_cache

from advisor.errors import KnowledgeError
from advisor.schema import Basis, OpKind, Record

from .figures import read_figures

CLASSES = (
    "conv", "conv_1x1", "conv_grouped", "conv_depthwise", "linear", "matmul",
    "activation", "elementwise", "norm", "softmax", "pool", "reduce", "move", "quantize", "unknown",
)  # fmt: skip
INDEX = {name: i for i, name in enumerate(CLASSES)}
MAC_CLASSES = CLASSES[:6]
CLASS_OF = {
    OpKind.CONV: "conv", OpKind.CONV_1X1: "conv_1x1", OpKind.CONV_GROUPED: "conv_grouped",
    OpKind.CONV_DEPTHWISE: "conv_depthwise", OpKind.CONV_TRANSPOSED: "conv", OpKind.LINEAR: "linear",
    OpKind.MATMUL: "matmul", OpKind.ATTENTION: "matmul", OpKind.NORM_BATCH: "elementwise", OpKind.NORM_LAYER: "norm",
    OpKind.SOFTMAX: "softmax", OpKind.ACTIVATION: "activation", OpKind.ELEMENTWISE: "elementwise", OpKind.POOL: "pool",
    OpKind.REDUCE: "reduce", OpKind.RESIZE: "move", OpKind.CONCAT: "move", OpKind.MOVE: "move",
    OpKind.QUANTIZE: "quantize", OpKind.UNKNOWN: "unknown",
}  # fmt: skip
FREE = frozenset({OpKind.VIEW, OpKind.OTHER})
# A mode that an entry does not describe borrows from the next one.
_STAND_INS = {
    "bf16": ("fp16", "fp32"), "fp16": ("fp32",), "fp32": ("fp16", "bf16"), "int8": (), "w8a16": ("int8",),
    "int8_dynamic": ("int8",), "int8_foreign": ("int8",), "int4": ("int8",), "int16": ("int8",),
    "fp8": ("fp16", "int8"),
}  # fmt: skip


class Mode(Record):
    """One arithmetic on one kind of unit.

    `compute`: share of the arithmetic peak by class of operation with MACs. `stream`: share of the memory bandwidth by
    class (activations mostly lie in caches, so shares above 1 are usual); `default` for classes not named.
    `overhead_us` is spent on every operation.
    """

    compute: dict[str, float]
    stream: dict[str, float]
    overhead_us: float
    low: float  # 80 % interval as factors of the middle
    high: float
    basis: Basis
    n: int | None = None
    source: str


class Entry(Record):
    """The figures of some runtimes on some classes of units (a class matches by its beginning)."""

    id: str
    runtimes: tuple[str, ...] = ()  # empty: any
    units: tuple[str, ...]
    thread_loss: float = 0.1  # efficiency falls with threads ** -thread_loss
    block: int = 1
    unaligned: dict[str, float] = {}  # factor on the time of a class whose channels miss the block
    start_us: float = 0.0  # once per inference: transfer to the unit, launch
    bytes_per_mac: float = 0.05  # bandwidth over the lowest arithmetic peak, where the profile states no bandwidth
    core_bound: bool = False  # `bytes_per_mac` also bounds what the threads in use take of a published bandwidth
    overflow_gbs: float | None = None  # rate at which weights beyond the on-chip memory are streamed
    modes: dict[str, Mode]


class Ratio(Record):
    """80 % intervals of the ratio of two plans on one path, as factors."""

    same_work: float  # equal shapes and arithmetic, other values or storage of the weights
    same_arithmetic: float  # other shapes, equal precision
    other_arithmetic: float
    other_path: float
    source: str


class EfficiencyFile(Record):
    """The file `efficiency.yaml`; the first entry that matches answers."""

    templates: tuple[Mode, ...] = ()  # anchors that entries refer to
    entries: tuple[Entry, ...]
    ratio: Ratio
    missing_peak: float  # widening where the peak of a precision is not published
    confidence: dict[str, float]  # widening by the confidence of the profile
    unknown_ops: float  # widening where all operations are unknown
    summary: float  # widening where layers are known by their sums alone
    sources: dict[str, str] = {}


class FittedFile(Record):
    """The file `efficiency_fitted.yaml`, written by benchmarks/fit_efficiency.py: modes by entry."""

    modes: dict[str, dict[str, Mode]]
    sources: dict[str, str] = {}


@lru_cache(maxsize=1)
def figures() -> EfficiencyFile:
    """Read `efficiency.yaml`, with the assumed figures replaced by fitted ones where there are any."""
    assumed, fitted = assumed_figures(), read_figures("efficiency_fitted", FittedFile).modes
    unknown = set(fitted) - {entry.id for entry in assumed.entries}
    if unknown:
        raise KnowledgeError(f"fitted figures for unknown entries: {', '.join(sorted(unknown))}",
                             where="efficiency_fitted.yaml", remedy="Run the fit again.")  # fmt: skip
    entries = tuple(_with_modes(e, {**e.modes, **fitted.get(e.id, {})}) for e in assumed.entries)
    return assumed.model_copy(update={"entries": entries})


def _with_modes(entry: Entry, modes: dict[str, Mode]) -> Entry:
    """Replace the modes; on GPUs a kernel's launch takes as long in any precision, so the least overhead holds for all.

    Each arithmetic is fitted by itself, and few networks cannot tell overhead from slow small kernels.
    """
    if entry.units and all(unit.startswith("gpu") for unit in entry.units) and modes:
        least = min(mode.overhead_us for mode in modes.values())
        modes = {name: mode.model_copy(update={"overhead_us": least}) for name, mode in modes.items()}
    return entry.model_copy(update={"modes": modes})


@lru_cache(maxsize=1)
def assumed_figures() -> EfficiencyFile:
    """Read `efficiency.yaml` alone."""
    return read_figures("efficiency", EfficiencyFile)


@lru_cache(maxsize=256)
def entry_for(runtime: str, unit: str) -> Entry | None:
    """Return the first entry for this runtime and class of unit."""
    for entry in figures().entries:
        if (not entry.runtimes or runtime in entry.runtimes) and unit.startswith(entry.units):
            return entry
    return None


def mode_for(entry: Entry, arithmetic: str) -> Mode | None:
    """Return the figures of an arithmetic, or of the nearest one described."""
    for name in (arithmetic, *_STAND_INS.get(arithmetic, ())):
        if name in entry.modes:
            return entry.modes[name]
    return None
