"""Groups of coupled channels, and what a workload looks like when they are narrower. Torch-free."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from math import gcd

from advisor.schema import CONV_KINDS, MAC_KINDS, WEIGHTED_KINDS, Op, OpKind, Tensor, Weight, Workload
from advisor.schema.workload import Attr

from .editing import main_weight, replace_parts
from .layouts import Layout, Segments, Span
from .propagation import analyse
from .trace import Analysis


@dataclass(frozen=True)
class ChannelGroup:
    """Channels that live and die together.

    `producers` are the module paths of layers with weights whose outputs they are (depthwise convolutions included),
    `members` those of all operations that touch them. `blocks` equal parts of the width must keep equally many
    channels (grouped convolutions). `why_not` says why a group is not prunable.
    """

    id: int
    width: int
    producers: tuple[str, ...]
    members: tuple[str, ...]
    blocks: int = 1
    prunable: bool = True
    why_not: str = ""


def channel_groups(workload: Workload, analysis: Analysis | None = None) -> tuple[ChannelGroup, ...]:
    """Return the groups in order of their first layer."""
    analysis = analysis or analyse(workload)
    channels = analysis.channels
    producers: dict[int, list[int]] = {}
    uses: dict[int, set[int]] = {}
    for variable in range(len(channels.width)):
        root = channels.root(variable)
        producers.setdefault(root, []).extend(analysis.producers.get(variable, ()))
        uses.setdefault(root, set()).update(analysis.uses.get(variable, ()))
    groups = []
    for root in sorted(producers, key=lambda r: (min(producers[r], default=-1), r)):
        if not producers[root]:
            continue
        groups.append(
            ChannelGroup(
                id=root,
                width=channels.width[root],
                producers=_paths(workload, sorted(set(producers[root]))),
                members=_paths(workload, sorted(uses[root])),
                blocks=channels.blocks[root],
                prunable=not channels.reason[root],
                why_not=channels.reason[root],
            )
        )
    return tuple(groups)


def _paths(workload: Workload, indices: list[int]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(layer_path(workload, workload.ops[i]) for i in indices))


def layer_path(workload: Workload, op: Op) -> str:
    """Return the module path of an operation: from its weight where it has one, else as profiled."""
    if op.kind in WEIGHTED_KINDS:
        weight = main_weight(workload, op)
        if weight is not None and weight.name.endswith(".weight"):
            return weight.name.removesuffix(".weight")
    return op.module or op.name


def kept_width(width: int, ratio: float, round_to: int, blocks: int = 1) -> int:
    """Return how many of `width` channels stay when `ratio` of them go.

    As Torch-Pruning's pruner: int(width * (1 - ratio)) in each block, then down to a multiple of `round_to`. Where
    that would leave nothing, one multiple stays; a block narrower than one multiple stays whole.
    """
    block = width // blocks
    step = round_to // gcd(round_to, blocks)
    kept = int(block * (1 - ratio))
    kept -= kept % step
    return blocks * min(block, max(kept, step))


def narrowed(workload: Workload, analysis: Analysis, widths: Mapping[int, int], note: str = "") -> Workload:
    """Return the workload with the channel groups in `widths` (by id) at their new width.

    Shapes, parameters and MACs are exact: MACs of a layer follow its weight matrix, those of a product its output and
    its contracted axis.
    """
    sizes = _Sizes(analysis, widths)
    tensors = {
        t: changed for t, layout in analysis.layouts.items() if (changed := sizes.tensor(workload.tensor[t], layout))
    }
    weights = {name: sizes.weight(workload.weight[name], spans) for name, spans in analysis.spans.items()}
    ops = {op.index: new for op in workload.ops if (new := _narrow_op(workload, op, tensors, weights)) is not op}
    return replace_parts(workload, ops=ops, tensors=tensors, weights=weights, notes=(note,) if note else ())


class _Sizes:
    """New lengths of axes."""

    def __init__(self, analysis: Analysis, widths: Mapping[int, int]) -> None:
        self.root = analysis.channels.root
        self.widths = widths

    def _places(self, segments: Segments) -> int:
        return sum(self.widths.get(self.root(s.variable), s.width) * s.repeat for s in segments)

    def tensor(self, tensor: Tensor, layout: Layout) -> Tensor | None:
        size = self._places(layout.segments)
        if size == tensor.shape[layout.dim]:
            return None
        shape = (*tensor.shape[: layout.dim], size, *tensor.shape[layout.dim + 1 :])
        return tensor.model_copy(update={"shape": shape})

    def weight(self, weight: Weight, spans: Mapping[int, Span]) -> Weight:
        shape = list(weight.shape)
        for dim, span in spans.items():
            shape[dim] = self._places(span.segments) // span.divisor
        return weight.model_copy(update={"shape": tuple(shape)})


def _narrow_op(workload: Workload, op: Op, tensors: Mapping[int, Tensor], weights: Mapping[str, Weight]) -> Op:
    if not any(t in tensors for t in (*op.inputs, *op.outputs)):
        return op
    shapes = {t: (tensors.get(t) or workload.tensor[t]).shape for t in (*op.inputs, *op.outputs)}
    attrs = dict(op.attrs)
    for key, value in op.attrs.items():
        for tensor in op.outputs:
            if isinstance(value, tuple) and len(value) > 1 and value == workload.tensor[tensor].shape:
                attrs[key] = shapes[tensor]
    macs = op.macs
    weight = main_weight(workload, op)
    if op.kind in WEIGHTED_KINDS and weight is not None:
        macs = macs * weights.get(weight.name, weight).elements // weight.elements
        _layer_attrs(op, attrs, shapes[op.inputs[0]], shapes[op.outputs[0]])
    elif op.kind in MAC_KINDS:
        out, left = op.outputs[0], op.inputs[0]
        old = workload.tensor[out].elements * workload.tensor[left].shape[-1]
        new = reduce(lambda a, b: a * b, shapes[out], 1) * shapes[left][-1]
        macs = macs * new // old
        if "heads" in attrs and len(shapes[out]) >= 3:
            attrs["heads"] = shapes[out][-3]
    return op.model_copy(update={"macs": macs, "attrs": attrs})


def _layer_attrs(op: Op, attrs: dict[str, Attr], source: tuple[int, ...], result: tuple[int, ...]) -> None:
    if op.kind in CONV_KINDS:
        attrs.update(in_channels=source[1], out_channels=result[1])
        if op.kind is OpKind.CONV_DEPTHWISE:
            attrs["groups"] = source[1]
    else:
        attrs.update(in_features=source[-1], out_features=result[-1])
