"""New shapes of one operation's results when its inputs have other sizes. Torch-free."""

from collections.abc import Mapping, Sequence
from itertools import product
from math import ceil, isqrt, prod

from advisor.errors import NotApplicable
from advisor.schema import CONV_KINDS, Op, OpKind
from advisor.techniques import moves
from advisor.techniques.editing import number, numbers

Shape = tuple[int, ...]


def results(
    op: Op,
    old_in: Sequence[Shape],
    new_in: Sequence[Shape],
    old_out: Sequence[Shape],
    seen: Mapping[int, int] | None = None,
) -> list[Shape]:
    """Return the new shapes of all results of `op`; `seen` holds sizes of axes that changed earlier."""
    seen = seen or {}
    if not old_in or list(old_in) == list(new_in):
        return list(old_out)
    if op.kind in CONV_KINDS or op.kind is OpKind.POOL:
        return [_window(op, old_in[0], new_in[0], shape) for shape in old_out]
    if op.kind in (OpKind.LINEAR, OpKind.MATMUL, OpKind.ATTENTION):
        return _product(op, old_in, new_in, old_out)
    if op.kind is OpKind.CONCAT:
        return [_concat(op, old_in, new_in, shape, seen) for shape in old_out]
    if op.kind is OpKind.ELEMENTWISE:
        return [_broadcast(old_in, new_in, shape) for shape in old_out]
    if op.kind is OpKind.RESIZE:
        return [_by_ratio(old_in[0], new_in[0], shape) for shape in old_out]
    return [_moved(op, old_in[0], new_in[0], shape, seen) for shape in old_out]


def _product(op: Op, old_in: Sequence[Shape], new_in: Sequence[Shape], old_out: Sequence[Shape]) -> list[Shape]:
    """Handle linear layers, products of activations and fused attention: all axes but the last follow the first."""
    rows = new_in[0][:-1]
    if op.kind is OpKind.MATMUL and len(new_in) > 1:
        return [(*rows, new_in[1][-1])]
    if op.kind is OpKind.LINEAR and new_in[0][-1] != old_in[0][-1]:
        raise NotApplicable(f"{op.module or op.name} reads a fixed number of pixels or tokens")
    return [(*rows, *shape[len(rows) :]) for shape in old_out]


def _window(op: Op, old: Shape, new: Shape, out: Shape) -> Shape:
    """Use the formula of convolutions where kernel and stride are known and explain the old size, else the ratio."""
    spatial = len(out) - 2
    if str(op.attrs.get("function", "")).startswith("adaptive") or spatial < 1:
        return (new[0], *out[1:])
    kernel = numbers(op.attrs.get("kernel"), spatial, 0)
    stride, padding = numbers(op.attrs.get("stride"), spatial, 1), numbers(op.attrs.get("padding"), spatial, 0)
    dilation = numbers(op.attrs.get("dilation"), spatial, 1)
    sizes = []
    for axis in range(spatial):
        taken = dilation[axis] * (kernel[axis] - 1) + 1 - 2 * padding[axis]
        before, after, result = old[axis + 2], new[axis + 2], out[axis + 2]
        if kernel[axis] and op.kind is not OpKind.CONV_TRANSPOSED and stride[axis]:
            for rounded in (0, stride[axis] - 1):  # floor, then ceil mode
                if (before - taken + rounded) // stride[axis] + 1 == result:
                    result = (after - taken + rounded) // stride[axis] + 1
                    break
            else:
                result = _ratio(before, after, result)
        else:
            result = _ratio(before, after, result)
        if result < 1:
            raise NotApplicable(f"the image is too small for {op.module or op.name}")
        sizes.append(result)
    return (new[0], out[1], *sizes)


def _ratio(old: int, new: int, out: int) -> int:
    return max(1, ceil(out * new / old)) if out > 1 else out


def _by_ratio(old: Shape, new: Shape, out: Shape) -> Shape:
    return tuple(_ratio(o, n, r) if o != n else r for o, n, r in zip(old, new, out, strict=True))


def _concat(op: Op, old_in: Sequence[Shape], new_in: Sequence[Shape], out: Shape, seen: Mapping[int, int]) -> Shape:
    if op.attrs.get("function") == "stack":
        return _moved(op, old_in[0], new_in[0], out, seen)
    dim = moves.positive(op.attrs.get("dim", 1), len(out))
    grown = sum(n[dim] - o[dim] for o, n in zip(old_in, new_in, strict=True))
    return tuple(size + grown if i == dim else new_in[0][i] for i, size in enumerate(out))


def _broadcast(old_in: Sequence[Shape], new_in: Sequence[Shape], out: Shape) -> Shape:
    sizes = list(out)
    for old, new in zip(old_in, new_in, strict=True):
        for back in range(1, len(old) + 1):
            if old[-back] != new[-back]:
                sizes[-back] = new[-back]
    return tuple(sizes)


def _moved(op: Op, old: Shape, new: Shape, out: Shape, seen: Mapping[int, int]) -> Shape:
    """Handle views, copies, norms and whatever keeps or regroups axes."""
    name = moves.function(op)
    if out == old:
        return new
    if name in ("permute", "transpose", "t"):
        order = moves.permutation(op, old, out)
        if order:
            return tuple(new[d] for d in order)
    if len(out) == len(old) and name in ("slice", "narrow", "split", "chunk", "pad", "expand"):
        return _resized_axes(op, name, old, new, out)
    if len(out) < len(old) and (op.kind is OpKind.REDUCE or name in ("select", "unbind")):
        return _lost_axes(op, old, new, out)
    if op.kind is OpKind.REDUCE:
        return tuple(1 if r == 1 else n for r, n in zip(out, new, strict=True))
    if prod(old) == prod(out):
        return regrouped(old, new, out, seen)
    raise NotApplicable(f"the size of {op.module or op.name} ({name}) cannot be followed")


def _resized_axes(op: Op, name: str, old: Shape, new: Shape, out: Shape) -> Shape:
    sizes = []
    step = number(op.attrs.get("step"), 1)
    for before, after, result in zip(old, new, out, strict=True):
        if before == after:
            sizes.append(result)
        elif before == result:
            sizes.append(after)
        elif name == "pad" or (name in ("slice", "narrow") and step == 1 and before - result < before / 2):
            sizes.append(after + result - before)
        elif name == "expand" or result == 1:
            sizes.append(result)
        else:
            sizes.append(_ratio(before, after, result))
    return tuple(sizes)


def _lost_axes(op: Op, old: Shape, new: Shape, out: Shape) -> Shape:
    given = op.attrs.get("dims", op.attrs.get("dim"))
    gone = {given} if isinstance(given, int) else set(given) if isinstance(given, tuple) else set()
    if len(old) - len(gone) != len(out):
        gone = set(range(len(old) - len(out)))
    return tuple(size for i, size in enumerate(new) if i not in {moves.positive(g, len(old)) for g in gone})


def regrouped(old: Shape, new: Shape, out: Shape, seen: Mapping[int, int]) -> Shape:
    """Return the new result of a reshape: both shapes are cut into runs of equal product, run by run.

    Where a run is split, axes take sizes seen before if these fit, a pair of equal axes takes the new area as a square,
    and of other runs the largest axis changes (windows keep their size, their number changes).
    """
    sizes: list[int] = []
    i = j = 0
    while i < len(old) or j < len(out):
        left, right, end_i, end_j = 1, 1, i, j
        while end_i == i or end_j == j or left != right:
            if end_i < len(old) and (left <= right or end_j >= len(out)):
                left *= old[end_i]
                end_i += 1
            elif end_j < len(out):
                right *= out[end_j]
                end_j += 1
            elif end_i == len(old) and end_j == len(out):
                break
        sizes += _run(old[i:end_i], new[i:end_i], out[j:end_j], seen)
        i, j = end_i, end_j
    return tuple(sizes)


def _run(old: Shape, new: Shape, out: Shape, seen: Mapping[int, int]) -> list[int]:
    if old == new or not out:
        return list(out)
    if prod(old) != prod(out):
        raise NotApplicable("a reshape cannot be followed")
    total = prod(new)
    long = [k for k, size in enumerate(out) if size > 1]
    if len(long) == 1:
        return [total if k == long[0] else 1 for k in range(len(out))]
    for sizes in product(*(dict.fromkeys((seen.get(size, size), size)) for size in out)):
        if prod(sizes) == total:
            return list(sizes)
    side = isqrt(total)
    if len(long) == 2 and out[long[0]] == out[long[1]] and side * side == total:
        return [side if k in long else 1 for k in range(len(out))]
    grow = max(range(len(out)), key=lambda k: out[k])
    others = prod(size for k, size in enumerate(out) if k != grow)
    if total % others:
        raise NotApplicable("windows do not divide the image")
    return [total // others if k == grow else size for k, size in enumerate(out)]
