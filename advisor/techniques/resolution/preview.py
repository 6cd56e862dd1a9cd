"""What a network looks like at another input size."""

from math import isqrt

from advisor.errors import NotApplicable
from advisor.schema import MAC_KINDS, WEIGHTED_KINDS, Op, OpKind, Tensor, Weight, Workload
from advisor.schema.workload import Attr
from advisor.techniques.editing import main_weight, replace_parts
from advisor.techniques.resolution.shapes import Shape, results
from advisor.techniques.resolution.step import LowerResolution
from advisor.techniques.summaries import is_summary, resized_summary


def preview(step: LowerResolution, workload: Workload) -> Workload:
    """Follow the new size through the network; weights stay, but position tables shrink with the tokens.

    MACs follow the positions at which a layer is evaluated; attention follows both of its token axes. Exact for
    convolutional nets and plain transformers; where windows or splits must be guessed the shapes are approximations.
    """
    target = (step.height, step.width)
    image = next((t for t in workload.inputs if len(workload.tensor[t].shape) == 4), None)
    if image is None:
        raise NotApplicable("the network does not read an image")
    batch, channels, height, width = workload.tensor[image].shape
    if is_summary(workload):
        resized = resized_summary(workload, target[0] * target[1] / (height * width))
        return _with_input(resized, image, (batch, channels, *target))
    return _follow(workload, image, (batch, channels, *target))


def _with_input(workload: Workload, image: int, shape: Shape) -> Workload:
    return replace_parts(workload, tensors={image: workload.tensor[image].model_copy(update={"shape": shape})})


def _follow(workload: Workload, image: int, shape: Shape) -> Workload:
    shapes: dict[int, Shape] = {t.id: t.shape for t in workload.tensors}
    shapes[image] = shape
    weights: dict[str, Weight] = {}
    ops: dict[int, Op] = {}
    seen: dict[int, int] = {}
    for op in workload.ops:
        old_in = [workload.tensor[t].shape for t in op.inputs]
        new_in = [shapes[t] for t in op.inputs]
        old_out = [workload.tensor[t].shape for t in op.outputs]
        if old_in == new_in:
            continue
        new_out = results(op, old_in, new_in, old_out, seen)
        for before, after in zip((*old_in, *old_out), (*new_in, *new_out), strict=True):
            seen.update((b, a) for b, a in zip(before, after, strict=True) if a != b)
        shapes.update(zip(op.outputs, new_out, strict=True))
        if op.kind is OpKind.ELEMENTWISE:
            tables = (_table(workload.weight.get(name), old_out[0], new_out[0]) for name in op.weights)
            weights.update({table.name: table for table in tables if table is not None})
        ops[op.index] = _resized_op(workload, op, new_in, new_out)
    tensors: dict[int, Tensor] = {
        t.id: t.model_copy(update={"shape": shapes[t.id]}) for t in workload.tensors if shapes[t.id] != t.shape
    }
    return replace_parts(workload, ops=ops, tensors=tensors, weights=weights)


def _resized_op(workload: Workload, op: Op, new_in: list[Shape], new_out: list[Shape]) -> Op:
    attrs: dict[str, Attr] = dict(op.attrs)
    for tensor, shape in zip(op.outputs, new_out, strict=True):
        before = workload.tensor[tensor].shape
        attrs.update({key: shape for key, value in op.attrs.items() if value == before and len(before) > 1})
    if op.kind not in MAC_KINDS or not op.macs:
        return op.model_copy(update={"attrs": attrs})
    out, old_out = new_out[0], workload.tensor[op.outputs[0]].shape
    new, old = _elements(out), _elements(old_out)
    if op.kind not in WEIGHTED_KINDS:  # the contracted axis, or the keys of attention, may change as well
        axis = -1 if op.kind is OpKind.MATMUL else -2
        side = 0 if op.kind is OpKind.MATMUL else 1
        new *= new_in[side][axis]
        old *= workload.tensor[op.inputs[side]].shape[axis]
        if "tokens" in attrs:
            attrs["tokens"] = out[-2]
    elif op.kind is OpKind.CONV_TRANSPOSED:
        new, old = _elements(new_in[0]), _elements(workload.tensor[op.inputs[0]].shape)
    return op.model_copy(update={"macs": op.macs * new // old, "attrs": attrs})


def _elements(shape: Shape) -> int:
    total = 1
    for size in shape:
        total *= size
    return total


def _table(weight: Weight | None, old: Shape, new: Shape) -> Weight | None:
    """Shrink a table that holds one row per token (position embedding); vectors of channels stay."""
    if weight is None or weight.role != "embedding":
        return None
    shape = list(weight.shape)
    for back in range(1, min(len(shape), len(old)) + 1):
        if shape[-back] == old[-back]:
            shape[-back] = new[-back]
    return weight.model_copy(update={"shape": tuple(shape)})


def total_stride(workload: Workload) -> int:
    """Return how many input pixels one cell of the coarsest feature map spans (1 where there is no convolution)."""
    if not workload.inputs or len(workload.input_shapes[0]) != 4:
        return 1
    side = min(workload.input_shapes[0][2:])
    strides = [1]
    for op in workload.ops:
        if op.kind not in WEIGHTED_KINDS or main_weight(workload, op) is None:
            continue
        out = workload.tensor[op.outputs[0]].shape
        if len(out) == 4 and min(out[2:]) > 1:
            strides.append(round(side / min(out[2:])))
    largest = max(strides)
    return 1 << (isqrt(largest * largest).bit_length() - 1) if largest & (largest - 1) else largest
