"""How views, copies and reductions move a layout; None means that they cut through the channels."""

from advisor.schema import Op

from .layouts import Layout, Shape, cut, reshaped

_PERMUTES = frozenset({"permute", "transpose", "t", "movedim", "swapaxes"})
_RESHAPES = frozenset({"reshape", "view", "flatten", "unflatten", "squeeze", "unsqueeze", "identity"})
_SAME = frozenset({"identity", "copy", "clone", "contiguous", "cast", "roll", "flip", "expand", "dropout", "detach"})
_KEEPS = frozenset({"slice", "narrow", "select", "split", "chunk", "unbind", "pad", "expand", "roll", "flip"})


def positive(dim: object, rank: int) -> int:
    """Return an axis counted from the front."""
    number = dim if isinstance(dim, int) else dim[0] if isinstance(dim, tuple) and dim else 1
    return number + rank if number < 0 else int(number)


def function(op: Op) -> str:
    """Return the name of what a view or copy does."""
    named = op.attrs.get("function")
    if isinstance(named, str) and named:
        return named.lower()
    return op.name.removeprefix("aten.").split(".")[0].strip("_").lower()


def follow(op: Op, layout: Layout, before: Shape, after: list[Shape]) -> list[Layout | None]:
    """Return where the channels are in each result of a view or copy; what is not known cuts."""
    name = function(op)
    if name in _PERMUTES:
        return [_permuted(op, layout, before, shape) for shape in after]
    results: list[Layout | None] = []
    start = _start(op, layout, len(before))
    for shape in after:
        found: Layout | None = None
        if name == "as_strided" and [n for n in before if n > 1] != [n for n in shape if n > 1]:
            found = None  # may reorder
        elif name in _RESHAPES or name == "as_strided" or (name in _SAME and len(shape) != len(before)):
            found = reshaped(layout, before, shape)
        elif len(shape) < len(before) and name in _KEEPS:
            found = _dropped(op, layout, before, shape)
        elif len(shape) == len(before) and name in _SAME | _KEEPS:
            found = None if _moves_channels(op, name, layout) else _kept(name, layout, before, shape, start)
            start += shape[layout.dim]
        results.append(found)
    return results


def _moves_channels(op: Op, name: str, layout: Layout) -> bool:
    dims = op.attrs.get("dims")
    return name in ("roll", "flip") and not (isinstance(dims, tuple) and layout.dim not in dims)


def _start(op: Op, layout: Layout, rank: int) -> int:
    start, dim = op.attrs.get("start"), op.attrs.get("dim")
    return start if isinstance(start, int) and dim is not None and positive(dim, rank) == layout.dim else 0


def _kept(name: str, layout: Layout, before: Shape, after: Shape, start: int) -> Layout | None:
    """Handle results of the same rank: other axes may change, the channel axis only by cuts between segments."""
    if after[layout.dim] == before[layout.dim]:
        return layout
    if name not in ("slice", "narrow", "split", "chunk"):
        return None
    segments = cut(layout, start, after[layout.dim])
    return Layout(layout.dim, segments) if segments else None


def _dropped(op: Op, layout: Layout, before: Shape, after: Shape) -> Layout | None:
    """Handle the loss of one axis (select, unbind)."""
    given = op.attrs.get("dim")
    candidates = [positive(given, len(before))] if isinstance(given, int) else range(len(before))
    for dim in candidates:
        if dim != layout.dim and before[:dim] + before[dim + 1 :] == after:
            return Layout(layout.dim - (dim < layout.dim), layout.segments)
    return None


def _permuted(op: Op, layout: Layout, before: Shape, after: Shape) -> Layout | None:
    order = permutation(op, before, after)
    return Layout(order.index(layout.dim), layout.segments) if order else None


def permutation(op: Op, before: Shape, after: Shape) -> tuple[int, ...] | None:
    """Return the axes of the input in the order of the output, or None where they cannot be known."""
    rank, dims = len(before), op.attrs.get("dims")
    if not isinstance(dims, tuple):
        dims = op.attrs.get("dim")
    if isinstance(dims, tuple) and len(dims) in (2, rank):
        order = [positive(d, rank) for d in dims]
        if len(dims) == 2 and (rank > 2 or "permute" not in function(op)):
            a, b = order
            order = list(range(rank))
            order[a], order[b] = b, a
        if sorted(order) == list(range(rank)) and tuple(before[d] for d in order) == after:
            return tuple(order)
    if rank == 2 and before[::-1] == after:
        return (1, 0)
    if len(set(before)) == rank and sorted(before) == sorted(after):
        return tuple(before.index(size) for size in after)
    return None


def reduced(op: Op, layout: Layout, before: Shape, after: Shape) -> tuple[bool, Layout | None]:
    """Return whether the outcome is known, and the layout after a reduction (None where channels are summed away)."""
    given = op.attrs.get("dims", op.attrs.get("dim"))
    if isinstance(given, int):
        given = (given,)
    if isinstance(given, tuple):
        gone = {positive(d, len(before)) for d in given}
        if layout.dim in gone:
            return True, None
        if len(after) == len(before):
            return True, layout
        if len(after) == len(before) - len(gone):
            return True, Layout(layout.dim - sum(d < layout.dim for d in gone), layout.segments)
    if len(after) == len(before):
        return True, layout if after[layout.dim] == before[layout.dim] else None
    if after[: layout.dim + 1] == before[: layout.dim + 1]:
        return True, layout
    if after and after[-1] == before[layout.dim] and layout.dim == len(before) - 1:
        return True, Layout(len(after) - 1, layout.segments)
    return False, None
