"""Blocks of a workload that can go as a whole: what they compute is added to what passes them by. Torch-free."""

from collections.abc import Iterable
from dataclasses import dataclass

from advisor.schema import MAC_KINDS, Op, OpKind, Workload
from advisor.techniques.editing import readers, renumber, revise

_PASSES = frozenset({OpKind.ELEMENTWISE, OpKind.ACTIVATION, OpKind.VIEW, OpKind.MOVE})

_LEAST_WORK = 0.002  # of all MACs; to drop less (a context added to a block's result) saves nothing


@dataclass(frozen=True)
class Block:
    """A module whose result has the shape of its input: module path, and ids of the tensors before and after it."""

    path: str
    before: int
    after: int


def removable_blocks(workload: Workload) -> tuple[Block, ...]:
    """Return the blocks with a residual connection of their own, in order of execution.

    Of a block inside a block it is the outer one, unless that holds several of them one after the other.
    """
    inside: dict[str, list[Op]] = {}
    for op in workload.ops:
        names = op.module.split(".") if op.module else []
        for depth in range(1, len(names) + 1):
            inside.setdefault(".".join(names[:depth]), []).append(op)
    read = readers(workload)
    found = [block for path, ops in inside.items() if (block := _block(workload, path, ops, read))]
    chosen: list[Block] = []
    for block in sorted(found, key=lambda one: one.path.count("."), reverse=True):  # the innermost first
        parts = [one for one in chosen if one.path.startswith(f"{block.path}.")]
        if len(parts) < 2:
            chosen = [one for one in chosen if one not in parts] + [block]
    return tuple(block for block in found if block in chosen)


def _block(workload: Workload, path: str, ops: list[Op], read: dict[int, list[Op]]) -> Block | None:
    """Return the block that these operations make up, None where they do not."""
    if sum(op.macs for op in ops) < _LEAST_WORK * workload.macs:
        return None
    here = {op.index for op in ops}
    made = {t for op in ops for t in op.outputs}
    left = {t for t in made if t in workload.outputs or any(op.index not in here for op in read.get(t, ()))}
    if len(left) != 1:
        return None
    after = left.pop()
    given = dict.fromkeys(t for op in ops for t in op.inputs if t not in made)
    for before in given:
        if workload.tensor[before].shape == workload.tensor[after].shape and _passed_by(ops, before, after):
            return Block(path, before, after)
    return None


def _passed_by(ops: list[Op], before: int, after: int) -> bool:
    """Whether the input reaches the output by sums alone, and something computed in the block is added on the way."""
    by, computed, added = {before}, set[int](), False
    for op in ops:
        passing = any(t in by for t in op.inputs)
        worked = op.kind in MAC_KINDS or any(t in computed for t in op.inputs)
        is_sum = op.kind is OpKind.ELEMENTWISE and op.attrs.get("function") == "add"
        added = added or (passing and is_sum and any(t in computed for t in op.inputs))
        if passing and op.kind in _PASSES and (is_sum or op.kind is not OpKind.ELEMENTWISE):
            by.update(op.outputs)
        if worked and not (passing and is_sum):
            computed.update(op.outputs)
    return added and after in by


def without(workload: Workload, blocks: Iterable[Block], note: str = "") -> Workload:
    """Return the workload in which what comes before these blocks goes straight to what comes after them."""
    blocks = tuple(blocks)
    gone = tuple(f"{block.path}." for block in blocks)
    # Whatever a block made is now what came before it, also where a later tensor is a view of its insides.
    instead = {
        tensor: block.before
        for block in blocks
        for op in workload.ops
        if op.module == block.path or op.module.startswith(f"{block.path}.")
        for tensor in op.outputs
    }

    def source(tensor: int) -> int:
        while tensor in instead:
            tensor = instead[tensor]
        return tensor

    kept = [op for op in workload.ops if not any(tensor in instead for tensor in op.outputs)]
    ops = renumber(op.model_copy(update={"inputs": tuple(source(t) for t in op.inputs)}) for op in kept)
    outputs = tuple(source(t) for t in workload.outputs)
    used = {*workload.inputs, *outputs, *(t for op in ops for t in (*op.inputs, *op.outputs))}
    read = {name for op in ops for name in op.weights}
    return revise(
        workload,
        ops=ops,
        outputs=outputs,
        tensors=tuple(
            t if t.alias_of is None else t.model_copy(update={"alias_of": source(t.alias_of)})
            for t in workload.tensors
            if t.id in used
        ),
        weights=tuple(w for w in workload.weights if w.name in read or not w.name.startswith(gone)),
        modules={path: name for path, name in workload.modules.items() if not path.startswith(gone)},
        notes=workload.notes + ((note,) if note else ()),
    )
