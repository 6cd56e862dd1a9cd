"""What a network looks like with factorized layers."""

from itertools import count

from advisor.schema import Op, OpKind, Tensor, Weight, Workload
from advisor.schema.workload import Attr
from advisor.techniques.editing import bias_of, renumber, revise
from advisor.techniques.low_rank.ranks import Factor, eligible
from advisor.techniques.low_rank.step import LowRank
from advisor.techniques.summaries import refuse_summary


def preview(step: LowRank, workload: Workload) -> Workload:
    """Replace every layer that qualifies by two (SVD, spatial SVD) or three (Tucker-2) thinner ones.

    The new layers are called <layer>.0, <layer>.1, ...; only the last has the bias. Ranks that depend on weights are
    taken from `step.ranks`; as long as that is None, the budget stands in for them.
    """
    refuse_summary(workload, "low-rank factorization")
    chosen = {op.index: (weight, parts) for op, weight, parts in eligible(workload, step)}
    ids = count(max((t.id for t in workload.tensors), default=0) + 1)
    ops: list[Op] = []
    tensors = list(workload.tensors)
    replaced: dict[str, list[Weight]] = {}
    for op in workload.ops:
        if op.index not in chosen:
            ops.append(op)
            continue
        weight, parts = chosen[op.index]
        new_ops, new_tensors, new_weights = _split(workload, op, weight, parts, [next(ids) for _ in parts[1:]])
        ops += new_ops
        tensors += new_tensors
        replaced[weight.name] = new_weights
        bias = bias_of(workload, op)
        if bias is not None:
            replaced[bias.name] = []
    shared = {name for op in ops for name in op.weights}  # exporters store equal biases once
    weights: list[Weight] = []
    for old in workload.weights:
        weights += [old] if old.name in shared and old.name in replaced else []
        weights += replaced.get(old.name, [old])
    note = f"{len(chosen)} layers factorized" if chosen else "no layer gains from this factorization"
    return revise(
        workload,
        ops=renumber(ops),
        tensors=tuple(tensors),
        weights=tuple(weights),
        notes=(*workload.notes, note),
    )


def _split(
    workload: Workload, op: Op, weight: Weight, parts: tuple[Factor, ...], between: list[int]
) -> tuple[list[Op], list[Tensor], list[Weight]]:
    path = weight.name.removesuffix(".weight")
    result = workload.tensor[op.outputs[0]]
    batch = result.shape[0]
    bias = bias_of(workload, op)
    chain = [op.inputs[0], *between, op.outputs[0]]
    ops, tensors, weights = [], [], []
    for i, part in enumerate(parts):
        kernel = Weight(
            name=f"{path}.{i}.weight",
            shape=(part.channels_out, part.channels_in, *part.taps),
            role="weight",
            storage=weight.storage,
        )
        names = [kernel.name]
        weights.append(kernel)
        if bias is not None and i == len(parts) - 1:
            weights.append(bias.model_copy(update={"name": f"{path}.{i}.bias"}))
            names.append(f"{path}.{i}.bias")
        linear = op.kind is OpKind.LINEAR
        if i < len(between):
            shape = (*part.extent, part.channels_out) if linear else (batch, part.channels_out, *part.extent)
            tensors.append(Tensor(id=between[i], shape=shape, dtype=result.dtype))
        ops.append(
            op.model_copy(
                update={
                    "kind": _kind(op, part),
                    "module": f"{path}.{i}",
                    "inputs": (chain[i],),
                    "outputs": (chain[i + 1],),
                    "weights": tuple(names),
                    "macs": part.params * part.positions * (1 if linear else batch),
                    "attrs": _attrs(op, part),
                }
            )
        )
    return ops, tensors, weights


def _kind(op: Op, part: Factor) -> OpKind:
    if op.kind is OpKind.LINEAR:
        return OpKind.LINEAR
    return OpKind.CONV_1X1 if part.taps == (1, 1) else OpKind.CONV


def _attrs(op: Op, part: Factor) -> dict[str, Attr]:
    if op.kind is OpKind.LINEAR:
        return {**op.attrs, "in_features": part.channels_in, "out_features": part.channels_out}
    return {
        **op.attrs,
        "kernel": part.taps,
        "stride": part.stride,
        "padding": part.padding,
        "in_channels": part.channels_in,
        "out_channels": part.channels_out,
    }
