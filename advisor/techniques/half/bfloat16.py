"""bfloat16 in an ONNX file: weights are stored in it and cast to float32 before use.

onnxruntime has no bfloat16 kernels for convolutions on CPUs, so arithmetic stays in float32 there; a compiler for a
device that computes in bfloat16 finds the weights rounded already.
"""

from typing import Any

from advisor.errors import NotApplicable

_OPSET = 13  # the first in which Cast knows bfloat16
_SMALLEST = 16  # values; for fewer, the node costs more than it saves


def store(model: Any) -> int:
    """Store every float constant of some size in bfloat16, in place; return how many."""
    from onnx import TensorProto, helper, numpy_helper

    version = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    if version < _OPSET:
        raise NotApplicable(
            f"bfloat16 needs opset {_OPSET}, the file has {version}", remedy="Export it with a newer opset."
        )
    bfloat16 = helper.tensor_dtype_to_np_dtype(TensorProto.BFLOAT16)
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor) if tensor.data_type == TensorProto.FLOAT else None
        if values is None or values.size < _SMALLEST:
            continue
        name, stored = tensor.name, f"{tensor.name}@bf16"
        tensor.CopyFrom(numpy_helper.from_array(values.astype(bfloat16), stored))
        casts.append(helper.make_node("Cast", [stored], [name], name=f"{name}@float", to=TensorProto.FLOAT))
    for cast in reversed(casts):
        graph.node.insert(0, cast)
    return len(casts)
