"""RAM and flash of devices without an operating system: the planned arena, bookkeeping, weights and code, kept apart.

1 MB = 1e6 bytes. Weights are read in place from flash; RAM holds activations, working memory and the interpreter.
"""

from dataclasses import dataclass
from functools import lru_cache

from advisor.schema import CONV_KINDS, Basis, Device, Estimate, Metric, OpKind, Record, Workload
from advisor.schema.identity import remembered

from .arena import Arena, integer_interface, planned, size
from .figures import read_figures
from .fusion import fold, fuse
from .query import Query, register
from .storage import stored_bytes


class Bookkeeping(Record):
    """Bytes that a runtime keeps beside tensors and weights, by what they grow with."""

    fixed: float = 0.0
    per_node: float = 0.0
    per_tensor: float = 0.0
    per_channel: float = 0.0  # output channels of integer convolutions


class RamShare(Record):
    """RAM of a runtime: planned arena times `activations`, and bookkeeping; `low` and `high` are the 80 % interval."""

    activations: float = 1.0
    overwrites: bool = False  # pointwise operations write over their operand
    scratch: bool = False  # working memory of CMSIS-NN lies in the arena
    bookkeeping: Bookkeeping = Bookkeeping()
    low: float
    high: float
    basis: Basis
    n: int | None = None
    source: str


class FlashShare(Record):
    """Flash of a runtime: stored weights and what describes the graph, and code; the interval is that of the code."""

    bookkeeping: Bookkeeping = Bookkeeping()
    code_low_kb: float  # 1 kB = 1000 bytes
    code_kb: float
    code_high_kb: float
    margin: float  # of weights and graph, as a share of them
    basis: Basis
    n: int | None = None
    source: str


class FirmwareFile(Record):
    """The file `firmware.yaml`: shares by runtime, or by runtime/unit where units differ."""

    ram: dict[str, RamShare]
    ram_default: RamShare
    flash: dict[str, FlashShare]
    flash_default: FlashShare
    sources: dict[str, str] = {}


@dataclass(frozen=True)
class Counts:
    """What bookkeeping grows with."""

    nodes: int
    tensors: int
    channels: int


@lru_cache(maxsize=1)
def figures() -> FirmwareFile:
    """Read `knowledge/prediction/firmware.yaml`."""
    return read_figures("firmware", FirmwareFile)


def ram_share(query: Query) -> RamShare:
    """Return the share of the plan's path, of its runtime, or the default."""
    known = figures().ram
    return known.get(query.plan.path) or known.get(query.plan.runtime) or figures().ram_default


def flash_share(query: Query) -> FlashShare:
    """Return the share of the plan's path, of its runtime, or the default."""
    known = figures().flash
    return known.get(query.plan.path) or known.get(query.plan.runtime) or figures().flash_default


def kernels_of(device: Device) -> str:
    """Name the CMSIS-NN kernels that the core runs: 'helium', 'dsp', or 'none' elsewhere."""
    isa = set() if device.cpu is None else {name.lower() for name in device.cpu.isa}
    return "helium" if isa & {"helium", "mve"} else "dsp" if "dsp" in isa else "none"


def firmware_arena(query: Query) -> Arena:
    """Plan the arena of the plan's graph as the runtime executes it."""
    share = ram_share(query)
    kernels = kernels_of(query.device) if share.scratch else "none"
    return planned(fuse(integer_interface(query.after), query.plan.runtime), kernels, share.overwrites)


@remembered(48)
def counts(fused: Workload) -> Counts:
    """Count executed nodes, their results and constants, and the output channels of integer convolutions."""
    nodes = [op for op in fused.ops if op.kind is not OpKind.OTHER]
    integer = [op for op in nodes if op.kind in CONV_KINDS and op.precision == "int8"]
    channels = sum(size(op, "out_channels") for op in integer)
    results = sum(len(op.outputs) for op in nodes)
    constants = len({name for op in nodes for name in op.weights})
    return Counts(len(nodes), len(fused.inputs) + results + constants, channels)


def kept_bytes(kept: Bookkeeping, found: Counts) -> float:
    """Bytes of bookkeeping for these counts."""
    return (
        kept.fixed + kept.per_node * found.nodes + kept.per_tensor * found.tensors + kept.per_channel * found.channels
    )


@register
class ArenaMemory:
    """RAM of a microcontroller or bare accelerator: planned activations and the interpreter; weights stay in flash."""

    name = "arena"
    metric = Metric.MEMORY

    def supports(self, query: Query) -> float | None:
        """Answer where no operating system runs."""
        return None if query.device.os else 0.85

    def estimate(self, query: Query) -> Estimate:
        """Return the RAM in MB."""
        share, arena = ram_share(query), firmware_arena(query)
        held = share.activations * arena.height / 1e6
        kept = kept_bytes(share.bookkeeping, counts(fuse(integer_interface(query.after), query.plan.runtime))) / 1e6
        total = held + kept
        note = (
            f"RAM arena: {held * 1e3:.1f} kB for activations, {kept * 1e3:.1f} kB for the runtime; no plan needs less "
        )
        note += f"than {arena.lower_bound / 1e3:.1f} kB unless layers overlap; weights lie in flash"
        return Estimate(
            metric=self.metric, low=share.low * total, mid=total, high=share.high * total, basis=share.basis,
            predictor=self.name, n=share.n, references=(share.source,), note=note,
            parts={"runtime": kept, "activations": held},
        )  # fmt: skip

    def absence(self, query: Query) -> str:
        """Explain the absence."""
        return "the device runs an operating system: the process is predicted"


@register
class FirmwareFlash:
    """Flash of a microcontroller: weights, the description of the graph, and the runtime's code."""

    name = "flash"
    metric = Metric.FLASH

    def supports(self, query: Query) -> float | None:
        """Answer where no operating system runs."""
        return None if query.device.os else 0.85

    def estimate(self, query: Query) -> Estimate:
        """Return the flash in MB, without the application's own code."""
        share = flash_share(query)
        weights = stored_bytes(fold(query.after).weights) / 1e6
        graph = kept_bytes(share.bookkeeping, counts(fuse(integer_interface(query.after), query.plan.runtime))) / 1e6
        model, code = weights + graph, share.code_kb / 1e3
        return Estimate(
            metric=self.metric, low=model * (1 - share.margin) + share.code_low_kb / 1e3, mid=model + code,
            high=model * (1 + share.margin) + share.code_high_kb / 1e3, basis=share.basis, predictor=self.name,
            n=share.n, references=(share.source,),
            note=f"{weights * 1e3:.1f} kB of weights with scales and {graph * 1e3:.1f} kB of graph, "
            f"{share.code_kb:.0f} kB for the runtime's code; the application's own code comes on top",
            parts={"runtime": code, "weights": weights, "graph": graph},
        )  # fmt: skip

    def absence(self, query: Query) -> str:
        """Explain the absence."""
        return "flash is counted on devices without an operating system only; the file's size says what others store"
