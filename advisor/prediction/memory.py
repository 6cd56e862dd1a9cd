"""Peak memory: weights, live activations and the runtime's own share; on microcontrollers the RAM arena alone.

1 MB = 1e6 bytes. Devices with an operating system report the process; where weights stay in flash they do not count.
"""

from functools import lru_cache

from advisor.profiling.liveness import peak_activation_bytes
from advisor.schema import Basis, Estimate, Metric, Record

from .figures import read_figures
from .fusion import fuse
from .query import Query, register
from .storage import stored_bytes


class Share(Record):
    """A runtime's memory: baseline of the process, and how often weights and live activations are held."""

    baseline_mb: float  # before a model is loaded
    baseline_low_mb: float | None = None  # builds of the runtime differ
    baseline_high_mb: float | None = None
    fixed_mb: float = 0.0  # of the model's part: session, code paths, pools
    weights: float
    activations: float
    low: float  # the 80 % interval of the model's part, as factors
    high: float
    basis: Basis
    n: int | None = None
    source: str


class MemoryFile(Record):
    """The file `memory.yaml`: process memory by runtime, arenas of runtimes without an operating system."""

    process: dict[str, Share]
    process_default: Share
    arena: dict[str, Share]
    arena_default: Share
    sources: dict[str, str] = {}


@lru_cache(maxsize=1)
def figures() -> MemoryFile:
    """Read `knowledge/prediction/memory.yaml`."""
    return read_figures("memory", MemoryFile)


def _estimate(query: Query, share: Share, weights: int, name: str, note: str) -> Estimate:
    live = peak_activation_bytes(fuse(query.after, query.plan.runtime))
    model = share.fixed_mb + (share.weights * weights + share.activations * live) / 1e6
    base = share.baseline_mb
    lowest = base if share.baseline_low_mb is None else share.baseline_low_mb
    highest = base if share.baseline_high_mb is None else share.baseline_high_mb
    return Estimate(
        metric=Metric.MEMORY, low=lowest + share.low * model, mid=base + model, high=highest + share.high * model,
        basis=share.basis, predictor=name, n=share.n, references=(share.source,),
        note=note.format(model=model, base=base, live=live / 1e6),
    )  # fmt: skip


@register
class ProcessMemory:
    """Peak resident memory of a process: the runtime's baseline and the model's part."""

    name = "process memory"
    metric = Metric.MEMORY

    def supports(self, query: Query) -> float | None:
        """Answer where an operating system runs processes."""
        if not query.device.os:
            return None
        return 0.8 if query.plan.runtime in figures().process else 0.4

    def estimate(self, query: Query) -> Estimate:
        """Return the peak of the process in MB."""
        share = figures().process.get(query.plan.runtime, figures().process_default)
        weights = stored_bytes(query.after.weights)
        note = (
            "{base:.0f} MB of the runtime itself and {model:.1f} MB for the model ({live:.2f} MB of live activations)"
        )
        return _estimate(query, share, weights, self.name, note)

    def absence(self, query: Query) -> str:
        """Explain the absence."""
        return "the device runs no operating system: only the arena is known"


@register
class ArenaMemory:
    """RAM of a microcontroller or bare accelerator: live activations and the interpreter; weights stay in flash."""

    name = "arena"
    metric = Metric.MEMORY

    def supports(self, query: Query) -> float | None:
        """Answer where no operating system runs."""
        return None if query.device.os else 0.85

    def estimate(self, query: Query) -> Estimate:
        """Return the RAM arena in MB."""
        share = figures().arena.get(query.plan.runtime, figures().arena_default)
        note = "RAM arena of {live:.3f} MB of live activations with {base:.3f} MB for the runtime; weights lie in flash"
        return _estimate(query, share, 0, self.name, note)

    def absence(self, query: Query) -> str:
        """Explain the absence."""
        return "the device runs an operating system: the process is predicted"
