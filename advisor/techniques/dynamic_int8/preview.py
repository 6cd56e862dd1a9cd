"""What a network looks like with dynamically quantized linear layers."""

from advisor.schema import OpKind, Workload
from advisor.techniques.dynamic_int8.step import DynamicInt8
from advisor.techniques.editing import main_weight, replace_parts


def preview(step: DynamicInt8, workload: Workload) -> Workload:
    """Store the matrices of linear layers in int8 and multiply in int8; activations stay float in memory."""
    ops, weights = {}, {}
    for op in workload.ops:
        if op.kind is not OpKind.LINEAR:
            continue
        ops[op.index] = op.model_copy(update={"precision": "int8"})
        main = main_weight(workload, op)
        for name in op.weights:
            weight = workload.weight[name]
            if weight is main or (main is None and weight.role == "weight"):
                storage = weight.storage.model_copy(update={"dtype": "int8", "granularity": step.weights})
                weights[name] = weight.model_copy(update={"storage": storage})
    return replace_parts(workload, ops=ops, weights=weights)
