"""Making changed copies of workloads; nothing here knows a technique."""

from collections.abc import Iterable, Mapping
from typing import Any

from advisor.schema import Op, Tensor, Weight, Workload
from advisor.schema.workload import Attr


def revise(workload: Workload, **changes: Any) -> Workload:
    """Return a workload with some fields replaced.

    `model_copy` would carry the cached indices and sums of the old workload over, so a new record is built; the parts
    are records that were validated before.
    """
    fields = {name: getattr(workload, name) for name in Workload.model_fields}
    return Workload.model_construct(**{**fields, **changes})


def replace_parts(
    workload: Workload,
    *,
    ops: Mapping[int, Op] | None = None,
    tensors: Mapping[int, Tensor] | None = None,
    weights: Mapping[str, Weight] | None = None,
    notes: Iterable[str] = (),
) -> Workload:
    """Replace operations by index, tensors by id and weights by name, and append notes."""
    ops, tensors, weights = ops or {}, tensors or {}, weights or {}
    return revise(
        workload,
        ops=tuple(ops.get(op.index, op) for op in workload.ops),
        tensors=tuple(tensors.get(t.id, t) for t in workload.tensors),
        weights=tuple(weights.get(w.name, w) for w in workload.weights),
        notes=workload.notes + tuple(notes),
    )


def renumber(ops: Iterable[Op]) -> tuple[Op, ...]:
    """Number operations by their place."""
    return tuple(op if op.index == i else op.model_copy(update={"index": i}) for i, op in enumerate(ops))


def readers(workload: Workload) -> dict[int, list[Op]]:
    """Return the operations that read each tensor."""
    found: dict[int, list[Op]] = {}
    for op in workload.ops:
        for tensor in dict.fromkeys(op.inputs):
            found.setdefault(tensor, []).append(op)
    return found


def writers(workload: Workload) -> dict[int, Op]:
    """Return the operation that writes each tensor."""
    return {tensor: op for op in workload.ops for tensor in op.outputs}


def main_weight(workload: Workload, op: Op) -> Weight | None:
    """Return the kernel or matrix of a convolution or linear layer."""
    for name in op.weights:
        weight = workload.weight.get(name)
        if weight is not None and weight.role == "weight" and len(weight.shape) > 1:
            return weight
    return None


def bias_of(workload: Workload, op: Op) -> Weight | None:
    """Return the bias of a convolution or linear layer."""
    for name in op.weights:
        weight = workload.weight.get(name)
        if weight is not None and weight.role == "bias":
            return weight
    return None


def number(value: Attr, default: int) -> int:
    """Read an attribute that holds one whole number."""
    return value if isinstance(value, int) else default


def numbers(value: Attr, count: int, default: int) -> tuple[int, ...]:
    """Read an attribute that holds one whole number per spatial axis."""
    if isinstance(value, tuple) and len(value) == count:
        return value
    if isinstance(value, tuple) and len(value) == 1:
        return value * count
    return (value if isinstance(value, int) else default,) * count
