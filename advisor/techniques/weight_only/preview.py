"""What a network looks like with its weights stored in 8 or 4 bits."""

from advisor.schema import WEIGHTED_KINDS, Workload
from advisor.techniques.editing import replace_parts
from advisor.techniques.weight_only.step import WeightOnly


def preview(step: WeightOnly, workload: Workload) -> Workload:
    """Change how kernels and matrices are stored; arithmetic, biases and norms stay in float."""
    change = {
        "dtype": f"int{step.bits}",
        "granularity": "group" if step.group_size else "per_channel",
        "group_size": step.group_size,
    }
    weights = {}
    for op in workload.ops:
        if op.kind in WEIGHTED_KINDS:
            for name in op.weights:
                weight = workload.weight[name]
                if weight.role == "weight":
                    storage = weight.storage.model_copy(update=change)
                    weights[name] = weight.model_copy(update={"storage": storage})
    return replace_parts(workload, weights=weights)
