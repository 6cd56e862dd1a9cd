"""Peak memory of a process: the runtime's own share, the weights it holds and the live activations, kept apart.

1 MB = 1e6 bytes. Devices without an operating system are answered by `firmware.py`.
"""

from functools import lru_cache
from typing import NamedTuple

from advisor.facts import plan_precision
from advisor.profiling.liveness import in_place, peak_activation_bytes
from advisor.schema import CONV_KINDS, ITEM_BITS, Basis, Estimate, Metric, Op, OpKind, Record, Weight, Workload
from advisor.schema.identity import remembered

from .figures import read_figures
from .fusion import block_of, fold, fuse
from .query import Query, register
from .storage import weight_bytes


class Held(NamedTuple):
    """Bytes of weights by what holds them: 3x3 convolutions of stride 1, other convolutions, all else."""

    convolutions: int
    winograd: int
    others: int


class Baseline(Record):
    """What a process takes before a model is loaded; builds of a runtime differ."""

    baseline_mb: float
    baseline_low_mb: float | None = None
    baseline_high_mb: float | None = None


class Share(Baseline):
    """A runtime's memory: baseline of the process, and how often weights and live activations are held."""

    fixed_mb: float = 0.0  # of the model's part: code paths, pools, thread stacks
    weights: float
    convolutions: float | None = None  # copies of convolution weights, where they differ from others
    winograd: float | None = None  # copies of those that the runtime turns into Winograd's form, where it does
    activations: float
    as_floats: bool = False  # weights and activations count with 4 bytes each, though the file holds integers
    low: float  # the 80 % interval of the model's part, as factors
    high: float
    basis: Basis
    n: int | None = None
    source: str


class MemoryFile(Record):
    """The file `memory.yaml`: process memory by path, by runtime and form ('onnxruntime int8'), or by runtime.

    `here` holds baselines of runtimes that advisor runs in another process than devices do: Python with torch. `ratio`
    is the factor, by runtime, within which 80 % of the ratios of two forms of one network lie around their middle.
    """

    process: dict[str, Share]
    process_default: Share
    ratio: dict[str, float]
    ratio_default: float
    here: dict[str, Baseline] = {}
    sources: dict[str, str] = {}


@lru_cache(maxsize=1)
def figures() -> MemoryFile:
    """Read `knowledge/prediction/memory.yaml`."""
    return read_figures("memory", MemoryFile)


def share_of(query: Query) -> Share | None:
    """Return what is known of the plan's path ('qnn/npu'), of its runtime in this form, or of its runtime; or None."""
    known, plan = figures().process, query.plan
    form = f"{plan.runtime} {plan_precision(plan)}"
    return next((known[name] for name in (plan.path, form, plan.runtime) if name in known), None)


def ratio_spread(query: Query) -> float:
    """Return the factor of the 80 % interval of a ratio of two peaks in the plan's runtime; 1 without processes."""
    known = figures()
    return known.ratio.get(query.plan.runtime, known.ratio_default) if query.device.os else 1.0


@remembered(48)
def held_weights(workload: Workload, unpacked: bool = False) -> Held:
    """Bytes of the weights with batch norms folded.

    `unpacked`: integers are turned into floats when the file is opened, and held as such.
    """
    folded = fold(workload)
    size = _as_floats if unpacked else weight_bytes
    small = {name for op in folded.ops if _small(op) for name in op.weights}
    other = {name for op in folded.ops if op.kind in CONV_KINDS for name in op.weights} - small
    convolutions, winograd = (sum(size(w) for w in folded.weights if w.name in names) for names in (other, small))
    return Held(convolutions, winograd, sum(size(w) for w in folded.weights) - convolutions - winograd)


def _small(op: Op) -> bool:
    """Whether a convolution may be computed in Winograd's form, which holds 16, 36 or 64 numbers for 9 weights."""
    return op.kind is OpKind.CONV and op.attrs.get("kernel") == (3, 3) and op.attrs.get("stride") == (1, 1)


def _as_floats(weight: Weight) -> int:
    return 4 * weight.elements


def live_bytes(query: Query, *, as_floats: bool = False) -> int:
    """Bytes of activations that are alive together, where pointwise operations write over their operands."""
    runtime = query.plan.runtime
    fused = fuse(query.after, runtime, block_of(runtime, query.device.cpu))
    return peak_activation_bytes(in_place(in_floats(fused) if as_floats else fused))


def in_floats(workload: Workload) -> Workload:
    """Return the network with integer activations as float32."""
    tensors = (t.model_copy(update={"dtype": "float32"}) if ITEM_BITS[t.dtype] == 8 else t for t in workload.tensors)
    return workload.model_copy(update={"tensors": tuple(tensors)})


@register
class ProcessMemory:
    """Peak resident memory of a process: the runtime's baseline and the model's part."""

    name = "process memory"
    metric = Metric.MEMORY

    def supports(self, query: Query) -> float | None:
        """Answer where an operating system runs processes."""
        if not query.device.os:
            return None
        return 0.4 if share_of(query) is None else 0.8

    def estimate(self, query: Query) -> Estimate:
        """Return the peak of the process in MB."""
        share = share_of(query) or figures().process_default
        folded = query.plan.runtime == "onnxruntime" and plan_precision(query.plan) in ("w8", "w4")
        held = held_weights(query.after, folded or share.as_floats)
        copies = share.weights if share.convolutions is None else share.convolutions
        small = copies if share.winograd is None else share.winograd
        weights = (copies * held.convolutions + small * held.winograd + share.weights * held.others) / 1e6
        live = share.activations * live_bytes(query, as_floats=share.as_floats) / 1e6
        alone = figures().here.get(query.plan.runtime, share) if query.device.id == "host" else share
        model, base = share.fixed_mb + weights + live, alone.baseline_mb
        lowest = base if alone.baseline_low_mb is None else alone.baseline_low_mb
        highest = base if alone.baseline_high_mb is None else alone.baseline_high_mb
        return Estimate(
            metric=self.metric, low=lowest + share.low * model, mid=base + model, high=highest + share.high * model,
            basis=share.basis, predictor=self.name, n=share.n, references=(share.source,),
            note=f"{base:.0f} MB of the runtime itself and {model:.1f} MB for the model ({share.fixed_mb:.1f} MB "
            f"fixed, {weights:.1f} MB of weights, {live:.2f} MB of live activations)",
            parts={"runtime": base, "fixed": share.fixed_mb, "weights": weights, "activations": live},
        )  # fmt: skip

    def absence(self, query: Query) -> str:
        """Explain the absence."""
        return "the device runs no operating system: only the arena is known"
