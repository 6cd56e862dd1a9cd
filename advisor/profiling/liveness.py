"""Peak memory of activations from the order of operations. Torch-free.

A storage lives from the operation that makes it to its last reader; inputs live from the start, outputs to the end;
tensors that share a storage (views, in-place results) live and die together. While an operation runs, all it reads
and writes is alive. No planner can do with less than the peak, save by splitting or reordering operations.
"""

from advisor.schema import Op, OpKind, Workload
from advisor.schema.identity import remembered

_POINTWISE = frozenset({OpKind.ACTIVATION, OpKind.ELEMENTWISE})
_SUMS = frozenset({"add", "iadd"})


@remembered()
def peak_activation_bytes(workload: Workload) -> int:
    """Return the largest sum of bytes that are alive at the same time."""
    births, deaths = lifetimes(workload)
    tensor = workload.tensor
    change = [0] * (len(workload.ops) + 2)
    for root, born in births.items():
        change[born] += tensor[root].bytes
        change[deaths[root] + 1] -= tensor[root].bytes
    peak = alive = 0
    for delta in change:
        alive += delta
        peak = max(peak, alive)
    return peak


def lifetimes(workload: Workload) -> tuple[dict[int, int], dict[int, int]]:
    """Return the first and the last step of every storage, named by its first tensor; steps are places in `ops`."""
    births: dict[int, int] = {}
    deaths: dict[int, int] = {}

    def touch(tensor: int, step: int) -> None:
        root = storage(workload, tensor)
        births.setdefault(root, step)
        deaths[root] = max(deaths.get(root, 0), step)

    for tensor in workload.inputs:
        touch(tensor, 0)
    for step, op in enumerate(workload.ops):
        for tensor in (*op.inputs, *op.outputs):
            touch(tensor, step)
    end = max(len(workload.ops) - 1, 0)
    for tensor in workload.outputs:
        touch(tensor, end)
    return births, deaths


def storage(workload: Workload, tensor: int) -> int:
    """Return the id of the tensor that owns the storage."""
    seen = {tensor}
    while (parent := workload.tensor[tensor].alias_of) is not None and parent not in seen:
        tensor = parent
        seen.add(tensor)
    return tensor


@remembered()
def in_place(workload: Workload) -> Workload:
    """Let pointwise operations, and sums fused into a layer, write over an operand of equal size that dies there.

    Inputs of the network are kept, since runtimes do not write into what the caller holds, and so are its outputs.
    """
    _, deaths = lifetimes(workload)
    owner = {tensor.id: storage(workload, tensor.id) for tensor in workload.tensors}
    kept = {owner[tensor] for tensor in (*workload.inputs, *workload.outputs)}
    merged: dict[int, int] = {}
    for step, op in enumerate(workload.ops):
        if len(op.outputs) != 1 or owner[op.outputs[0]] != op.outputs[0]:
            continue
        result = op.outputs[0]
        for tensor in _overwritable(op):
            root = merged.get(owner[tensor], owner[tensor])
            if root not in kept and deaths[root] == step and _same_size(workload, root, result):
                merged[result] = root
                deaths[root] = deaths[result]
                break
    if not merged:
        return workload
    tensors = tuple(t.model_copy(update={"alias_of": merged[t.id]}) if t.id in merged else t for t in workload.tensors)
    fields = {name: getattr(workload, name) for name in Workload.model_fields}
    return Workload.model_construct(**{**fields, "tensors": tensors})


def _overwritable(op: Op) -> tuple[int, ...]:
    """The operands whose place the result may take: of a layer with a fused sum, the one that is added."""
    if op.kind in _POINTWISE:
        return op.inputs
    fused = set(str(op.attrs.get("fused", "")).split("+"))
    return op.inputs[1:] if fused & _SUMS else ()


def _same_size(workload: Workload, one: int, other: int) -> bool:
    return workload.tensor[one].bytes == workload.tensor[other].bytes
