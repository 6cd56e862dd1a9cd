"""Attention heads and MLP widths of transformer blocks, found in a workload. Torch-free.

Fused attention is one operation; spelt out it is softmax between two matrix products. Looking back from queries, keys
and values over views and scalings gives the linear layers that make them. Their channels are then followed head by
head; a hidden width of an MLP is a group made by linear layers alone that passes an activation function.
"""

from dataclasses import dataclass

from advisor.schema import Op, OpKind, Workload

from .channels import ChannelGroup, channel_groups
from .editing import readers, writers
from .propagation import analyse
from .trace import Analysis

_SEEN_THROUGH = frozenset({OpKind.VIEW, OpKind.MOVE, OpKind.ELEMENTWISE, OpKind.NORM_LAYER})


@dataclass(frozen=True)
class Blocks:
    """The prunable parts of a transformer: groups of heads, groups of hidden units, and the analysis they belong to."""

    analysis: Analysis
    heads: tuple[ChannelGroup, ...]
    hidden: tuple[ChannelGroup, ...]


def transformer_blocks(workload: Workload) -> Blocks:
    """Find heads and hidden widths; groups that cannot shrink are listed with their reason."""
    seeds = attention_projections(workload)
    analysis = analyse(workload, seeds)
    heads, hidden = [], []
    for group in channel_groups(workload, analysis):
        makers = [i for v, ops in analysis.producers.items() if analysis.channels.root(v) == group.id for i in ops]
        if any(i in seeds for i in makers):
            heads.append(group)
        elif all(workload.ops[i].kind is OpKind.LINEAR for i in makers) and _activated(workload, analysis, group):
            hidden.append(group)
    return Blocks(analysis, tuple(heads), tuple(hidden))


def _activated(workload: Workload, analysis: Analysis, group: ChannelGroup) -> bool:
    """Whether the channels themselves pass an activation function."""
    return any(
        workload.ops[i].kind is OpKind.ACTIVATION
        for variable, uses in analysis.uses.items()
        if analysis.channels.root(variable) == group.id
        for i in uses
    )


def attention_projections(workload: Workload) -> dict[int, tuple[int, int]]:
    """Return (heads, head width) by index of the linear layers that feed attention."""
    written, read = writers(workload), readers(workload)
    found: dict[int, tuple[int, int]] = {}
    for op in workload.ops:
        for product, head_dim in _products(workload, op, written, read):
            for tensor in product.inputs[:3]:
                source, heads = _linear_before(workload, tensor, written)
                if source is None or heads < 2:
                    continue
                width = workload.tensor[source.outputs[0]].shape[-1]
                if head_dim and width % (heads * head_dim) == 0:
                    found[source.index] = (heads, head_dim)
    return found


def _products(workload: Workload, op: Op, written: dict[int, Op], read: dict[int, list[Op]]) -> list[tuple[Op, int]]:
    """Return fused attention, or the products before and after a softmax, each with the width of one head.

    That width is the contracted axis of query x key and the last axis of score x value.
    """
    if op.kind is OpKind.ATTENTION:
        return [(op, workload.tensor[op.inputs[0]].shape[-1])]
    if op.kind is not OpKind.SOFTMAX:
        return []
    before: Op | None = written.get(op.inputs[0])
    while before is not None and before.kind in _SEEN_THROUGH and before.inputs:
        before = written.get(before.inputs[0])
    after = op
    while after.kind is not OpKind.MATMUL:
        following = [o for o in read.get(after.outputs[0], []) if o.kind in _SEEN_THROUGH or o.kind is OpKind.MATMUL]
        if len(following) != 1:
            return []
        after = following[0]
    if before is None or before.kind is not OpKind.MATMUL or len(after.inputs) < 2:
        return []
    return [
        (before, workload.tensor[before.inputs[0]].shape[-1]),
        (after, workload.tensor[after.inputs[1]].shape[-1]),
    ]


def _linear_before(workload: Workload, tensor: int, written: dict[int, Op]) -> tuple[Op | None, int]:
    """Return the linear layer behind a tensor and the heads that its channels were split into on the way."""
    heads = 0
    op = written.get(tensor)
    while op is not None and op.kind in _SEEN_THROUGH and op.inputs:
        shape = workload.tensor[tensor].shape
        if len(shape) >= 4 and not heads:  # batch and heads may be one axis nearer to the product
            heads = shape[-3]
        tensor = op.inputs[0]
        op = written.get(tensor)
    return (op if op is not None and op.kind is OpKind.LINEAR else None), heads
