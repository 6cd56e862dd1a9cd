"""Facts about the model, derived from its workload."""

from typing import Any

from advisor.profiling.families import family as family_of
from advisor.profiling.liveness import peak_activation_bytes
from advisor.schema import CONV_KINDS, Op, OpKind, Workload

from .graph import Graph
from .task import task_facts
from .traits import trait_facts

FREE_KINDS = frozenset({OpKind.VIEW, OpKind.OTHER, OpKind.NORM_BATCH, OpKind.ACTIVATION})  # fused into their neighbours


def model_facts(workload: Workload, *, random_weights: bool | None = None) -> dict[str, Any]:
    """Return the `model.*` facts; MACs are at the workload's batch divided by it."""
    graph = Graph(workload)
    facts = _size(workload, graph) | _shares(workload, graph) | _structure(workload, graph) | _identity(workload, graph)
    if random_weights is not None:
        facts["model.random_weights"] = random_weights
    return {name: value for name, value in facts.items() if value is not None}


def _size(workload: Workload, graph: Graph) -> dict[str, Any]:
    batch = max(workload.batch, 1)
    moved = workload.stored_bytes + sum(
        workload.tensor[t].bytes for op in workload.ops if op.kind is not OpKind.VIEW for t in (*op.inputs, *op.outputs)
    )
    scales = sum(op_channels(op) * 4 for op in graph.weighted)
    as_int8 = workload.model_copy(
        update={"tensors": tuple(t.model_copy(update={"dtype": "int8"}) for t in workload.tensors)}
    )
    return {
        "model.params": workload.params,
        "model.macs": workload.macs // batch,
        "model.weight_bytes": workload.stored_bytes,
        "model.weight_bytes_int8": workload.params + scales,
        "model.peak_act_bytes": peak_activation_bytes(workload),
        "model.peak_act_bytes_int8": peak_activation_bytes(as_int8),
        "model.ai": workload.macs / moved if moved else None,
        "model.ops_n": sum(op.kind not in FREE_KINDS for op in workload.ops),
        "model.unknown_ops_n": sum(op.kind is OpKind.UNKNOWN for op in workload.ops),
        "model.depth": len(graph.weighted),
    }


def op_channels(op: Op) -> int:
    """Output channels or features of a weighted layer."""
    return int(op.attrs.get("out_channels") or op.attrs.get("out_features") or 0)  # type: ignore[arg-type]


def _in_channels(op: Op) -> int:
    return int(op.attrs.get("in_channels") or op.attrs.get("in_features") or 0)  # type: ignore[arg-type]


def _shares(workload: Workload, graph: Graph) -> dict[str, Any]:
    total = workload.macs or 1
    by_kind: dict[OpKind, int] = {}
    params: dict[OpKind, int] = {}
    for op in workload.ops:
        by_kind[op.kind] = by_kind.get(op.kind, 0) + op.macs
        params[op.kind] = params.get(op.kind, 0) + workload.weight_elements(op)

    def macs(*kinds: OpKind) -> float:
        return sum(by_kind.get(kind, 0) for kind in kinds) / total

    attention = by_kind.get(OpKind.ATTENTION, 0) + by_kind.get(OpKind.MATMUL, 0)
    weighted = graph.weighted
    third = max(1, len(weighted) // 3)
    written = [sum(workload.tensor[t].elements for t in op.outputs) for op in weighted]
    facts: dict[str, Any] = {
        "model.dw_mac_share": macs(OpKind.CONV_DEPTHWISE),
        "model.has_depthwise": OpKind.CONV_DEPTHWISE in by_kind,
        "model.conv1x1_mac_share": macs(OpKind.CONV_1X1),
        "model.conv_kxk_mac_share": macs(OpKind.CONV),
        "model.linear_mac_share": macs(OpKind.LINEAR),
        "model.matmul_mac_share": macs(OpKind.LINEAR, OpKind.MATMUL, OpKind.ATTENTION),
        "model.attn_share": attention / total,
        "model.fc_param_share": params.get(OpKind.LINEAR, 0) / (workload.params or 1),
        "model.conv_param_share": sum(params.get(k, 0) for k in CONV_KINDS) / (workload.params or 1),
        "model.first_conv_mac_share": weighted[0].macs / total if weighted else None,
        "model.classifier_mac_share": weighted[-1].macs / total if weighted else None,
        "model.early_act_share": sum(written[:third]) / sum(written) if sum(written) else None,
    }
    return facts | {f"model.channels_aligned_{a}": _aligned(weighted, a) for a in (8, 16, 32)}


def _aligned(weighted: tuple[Op, ...], to: int) -> float | None:
    """Share of MACs in layers with aligned channels; the image channels that the first layer reads are excepted."""
    total = sum(op.macs for op in weighted)
    if not total:
        return None
    fits = (
        op for op in weighted if op_channels(op) % to == 0 and (_in_channels(op) % to == 0 or _in_channels(op) <= 4)
    )
    return sum(op.macs for op in fits) / total


def _structure(workload: Workload, graph: Graph) -> dict[str, Any]:
    ops = workload.ops
    convs = [op for op in ops if op.kind in CONV_KINDS]
    norms = [op for op in ops if op.kind is OpKind.NORM_BATCH]
    kinds = {op.kind for op in ops}
    functions = {str(op.attrs["function"]) for op in ops if op.kind is OpKind.ACTIVATION and op.attrs.get("function")}

    def largest(name: str) -> int | None:
        sides = [max(value) for op in convs if isinstance(value := op.attrs.get(name), tuple) and value]
        return max(sides) if sides else None

    return {
        "model.max_channels": max((op_channels(op) for op in convs), default=None),
        "model.min_width_out": min((op_channels(op) for op in graph.weighted), default=None),
        "model.max_kernel": largest("kernel"),
        "model.max_stride": largest("stride"),
        "model.has_dilation": (largest("dilation") or 1) > 1,
        "model.has_grouped": OpKind.CONV_GROUPED in kinds,
        "model.act_fns": frozenset(functions | ({"softmax"} if kinds & {OpKind.SOFTMAX, OpKind.ATTENTION} else set())),
        "model.has_se": any(graph.is_gate(op) for op in ops),
        "model.has_bn": bool(norms),
        "model.bn_foldable": all(graph.is_foldable(norm) for norm in norms) if norms else None,
        "model.has_layernorm": OpKind.NORM_LAYER in kinds,
        "model.has_attention": OpKind.ATTENTION in kinds or {OpKind.MATMUL, OpKind.SOFTMAX} <= kinds,
        "model.has_concat": any(op.kind is OpKind.CONCAT and len(graph.shape(op.outputs[0])) == 4 for op in ops),
        "model.has_residual": any(graph.is_residual(op) for op in ops),
    }


def _identity(workload: Workload, graph: Graph) -> dict[str, Any]:
    family = family_of(workload)
    image = workload.input_shapes[0] if workload.input_shapes else ()
    return {
        "model.family": family,
        **task_facts(workload, graph, family),
        **trait_facts(workload, family),
        "model.format": workload.format,
        "model.quantized": any(op.kind is OpKind.QUANTIZE or op.precision == "int8" for op in workload.ops),
        "model.inputs_n": len(workload.inputs),
        "model.in_res": min(image[-2:]) if len(image) == 4 else None,
    }
