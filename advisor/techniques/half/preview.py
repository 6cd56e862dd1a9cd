"""What a network looks like in half precision."""

from advisor.schema import Workload
from advisor.techniques.editing import revise
from advisor.techniques.half.step import Half

_LONG = {"fp16": "float16", "bf16": "bfloat16"}
_FLOATS = frozenset({"float64", "float32", "float16", "bfloat16"})


def preview(step: Half, workload: Workload) -> Workload:
    """Store every float tensor and weight in 16 bits and compute in them; integers stay."""
    dtype = _LONG[step.dtype]
    return revise(
        workload,
        tensors=tuple(t.model_copy(update={"dtype": dtype}) if t.dtype in _FLOATS else t for t in workload.tensors),
        weights=tuple(
            w.model_copy(update={"storage": w.storage.model_copy(update={"dtype": dtype})})
            if w.storage.dtype in _FLOATS
            else w
            for w in workload.weights
        ),
        ops=tuple(
            op.model_copy(update={"precision": step.dtype}) if op.precision.startswith(("fp", "bf")) else op
            for op in workload.ops
        ),
    )
