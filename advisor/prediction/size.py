"""File size: weights exactly, plus the graph's own bytes from calibrated figures.

1 MB = 1e6 bytes. Zeros compress only in an archive, never in the file itself, so sparsity changes nothing here.
"""

from functools import lru_cache

from advisor.schema import Basis, Estimate, Metric, OpKind, Record, Workload

from .figures import read_figures
from .fusion import fold
from .query import Query, register
from .storage import scales, stored_bytes


class Overhead(Record):
    """Bytes of a file format besides the weights; `margin` is the 80 % interval of the overhead as a share of it."""

    per_op: float
    per_weight: float
    per_quantized_channel: float = 0.0  # scales and zero points of int32 biases
    per_quantized_tensor: float = 0.0  # quantize and dequantize nodes with their scales
    fixed: float = 0.0
    folds_batch_norm: bool = True
    margin: float
    basis: Basis
    n: int | None = None
    source: str


class SizeFile(Record):
    """The file `size.yaml`: overhead by format, format by runtime and technique."""

    formats: dict[str, Overhead]
    runtimes: dict[str, str]
    techniques: dict[str, str]  # for runtimes not named above; the last step that is named decides
    default: str
    sources: dict[str, str] = {}


@lru_cache(maxsize=1)
def figures() -> SizeFile:
    """Read `knowledge/prediction/size.yaml`."""
    return read_figures("size", SizeFile)


def counts(workload: Workload) -> dict[str, int]:
    """Count what overhead depends on: operations, weights, and channels and tensors that are quantized.

    SiLU is written as a sigmoid and a product, both quantized in an integer file.
    """
    biased = {name for op in workload.ops if op.precision == "int8" for name in op.weights}
    quantized = [w for w in workload.weights if w.storage.dtype in ("int8", "uint8", "int4") and w.name in biased]
    integer = sum(op.precision == "int8" and op.kind is not OpKind.VIEW for op in workload.ops)
    pairs = sum(op.kind is OpKind.ACTIVATION and op.attrs.get("function") == "silu" for op in workload.ops)
    return {
        "ops": sum(op.kind is not OpKind.OTHER for op in workload.ops) + pairs,
        "weights": len(workload.weights),
        "quantized_channels": sum(scales(w) for w in quantized),
        "quantized_tensors": integer + (pairs if integer else 0),
    }


def overhead_bytes(workload: Workload, overhead: Overhead) -> float:
    """Bytes that the format adds to the weights."""
    n = counts(workload)
    return (
        overhead.fixed
        + overhead.per_op * n["ops"]
        + overhead.per_weight * n["weights"]
        + overhead.per_quantized_channel * n["quantized_channels"]
        + overhead.per_quantized_tensor * n["quantized_tensors"]
    )


def format_of(query: Query) -> str:
    """Return the name of the file format that the plan ends in."""
    known = figures()
    if query.plan.runtime in known.runtimes:
        return known.runtimes[query.plan.runtime]
    named = [known.techniques[step.technique] for step in query.plan.steps if step.technique in known.techniques]
    return named[-1] if named else known.default


@register
class FileSize:
    """Weights as they are stored, plus the overhead of the runtime's file format."""

    name = "file size"
    metric = Metric.SIZE

    def supports(self, query: Query) -> float | None:
        """Answer always: every network has a size."""
        return 0.95

    def estimate(self, query: Query) -> Estimate:
        """Return the size of the artefact's file in MB."""
        name = format_of(query)
        form = figures().formats[name]
        network = fold(query.after) if form.folds_batch_norm else query.after
        weights, extra = stored_bytes(network.weights), overhead_bytes(network, form)
        spread = max(form.margin * extra, 1e-4 * weights)
        low, mid, high = weights + max(extra - spread, 0.0), weights + extra, weights + extra + spread
        return Estimate(
            metric=self.metric, low=low / 1e6, mid=mid / 1e6, high=high / 1e6, basis=form.basis, predictor=self.name,
            n=form.n, references=(form.source,),
            note=f"{weights / 1e6:.3f} MB of weights by arithmetic, {extra / 1e6:.3f} MB of graph in a {name} file",
        )  # fmt: skip

    def absence(self, query: Query) -> str:
        """Never absent."""
        return "the size is always known"
