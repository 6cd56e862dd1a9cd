"""The graph as a runtime executes it: batch norm folded, activations and sums inside their layer, layouts changed.

Which passes a runtime takes and which patterns they know is knowledge (`knowledge/prediction/fusion.yaml`); how well
the result agrees with onnxruntime's own graphs is measured by `benchmarks/fusion.py` (docs/fusion.md). The result is a
Workload again, so that liveness and counting work on it. Operations that run in float inside an integer graph have the
precision fp32, with quantize and dequantize operations around them; changes of layout are moves with the function
`reorder`. What was absorbed is named in the attribute `fused`, the layout (blocked, channels_last) in `layout`.
"""

from collections.abc import Callable

from advisor.schema import OpKind, Workload
from advisor.schema.identity import remembered
from advisor.techniques.folding import fold_batch_norm

from .fusing.absorb import absorb
from .fusing.blocked import block
from .fusing.channels_last import put_channels_last
from .fusing.graph import Graph
from .fusing.integer import is_quantized, place, strip
from .fusing.layers import fold_scales, join_biases, scale_products, share_ranges, skip_norms, split_gates
from .fusing.spell import spell_out
from .fusing.style import FusionStyle, block_of, style_of
from .fusing.tidy import (
    drop_empty,
    drop_unread,
    fold_constants,
    mark_copies,
    merge_equal,
    merge_permutations,
    pad_in_layers,
)

__all__ = ["block_of", "fold", "fuse"]

# In the order of their stages: on the graph as it was planned, once its arithmetic is settled, after all absorption.
FIRST: dict[str, Callable[[Graph], None]] = {
    "fold_constants": fold_constants,
    "drop_unread": drop_unread,
    "drop_empty": drop_empty,
    "merge_equal": merge_equal,
    "merge_permutations": merge_permutations,
    "mark_copies": mark_copies,
    "pad_in_layers": pad_in_layers,
    "join_biases": join_biases,
    "fold_scales": fold_scales,
}
MIDDLE: dict[str, Callable[[Graph], None]] = {
    "skip_norms": skip_norms,
    "scale_products": scale_products,
    "share_ranges": share_ranges,
}
LAST: dict[str, Callable[[Graph], None]] = {
    "split_gates": split_gates,
    "channels_last": put_channels_last,
}


def fuse(workload: Workload, runtime: str, block: int | None = None) -> Workload:
    """Return the graph that `runtime` executes; results are kept for the workloads seen last.

    `block`: channels per block in layouts that the CPU decides on (`block_of`); None: as on the CPU of the checks.
    """
    return _fused(workload, style_of(runtime, block))


@remembered(48)
def fold(workload: Workload) -> Workload:
    """Return the graph with batch norm folded; results are kept for the workloads seen last."""
    return fold_batch_norm(workload) if any(op.kind is OpKind.NORM_BATCH for op in workload.ops) else workload


@remembered(48)
def _fused(workload: Workload, style: FusionStyle) -> Workload:
    graph = Graph(fold(workload) if style.batch_norm else workload)
    if any(op.attrs.get("summary") for op in workload.ops):  # layers without an order: nothing meets its neighbour
        absorb(graph, style)
        return graph.to_workload()
    integer = style.integer if style.integer is not None and is_quantized(graph) else None
    graph.integer = integer is not None
    passes = style.int8_passes if graph.integer else style.float_passes
    kept = strip(graph) if integer else frozenset[int]()
    _rewrite(graph, passes, FIRST)
    if style.integer is not None:
        spell_out(graph, style.integer.spelled_out if integer else (), integer=graph.integer)
    if integer is not None:
        place(graph, integer, kept)
    _rewrite(graph, passes, MIDDLE)
    if style.blocks is not None:
        absorb(graph, style, sums=False)
        block(graph, style)
    absorb(graph, style)
    _rewrite(graph, passes, LAST)
    return graph.to_workload()


def _rewrite(graph: Graph, names: tuple[str, ...], stage: dict[str, Callable[[Graph], None]]) -> None:
    for name in names:
        if name in stage:
            stage[name](graph)
