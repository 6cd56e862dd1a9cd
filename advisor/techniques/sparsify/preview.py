"""What a network looks like with zeros in its weights: shapes and MACs stay, storage knows the share of zeros."""

from math import prod

from advisor.schema import WEIGHTED_KINDS, Op, OpKind, Weight, Workload
from advisor.techniques.editing import replace_parts
from advisor.techniques.sparsify.step import Sparsify


def preview(step: Sparsify, workload: Workload) -> Workload:
    """Mark the kernels and matrices that get zeros; 2:4 always keeps one half."""
    density = 0.5 if step.pattern == "2:4" else 1 - step.sparsity
    weights = {}
    for op in workload.ops:
        for name in op.weights if op.kind in WEIGHTED_KINDS else ():
            weight = workload.weight[name]
            if weight.role == "weight" and takes_zeros(op, weight, step.pattern):
                storage = weight.storage.model_copy(update={"density": density, "pattern": step.pattern})
                weights[name] = weight.model_copy(update={"storage": storage})
    return replace_parts(workload, weights=weights)


def takes_zeros(op: Op, weight: Weight, pattern: str) -> bool:
    """Whether a layer gets zeros; 2:4 needs four products in a row and no depthwise kernels."""
    if pattern != "2:4":
        return True
    if op.kind in (OpKind.CONV_DEPTHWISE, OpKind.CONV_TRANSPOSED):
        return False
    return len(weight.shape) == 1 or prod(weight.shape[1:2]) % 4 == 0
