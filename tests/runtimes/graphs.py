"""Small ONNX files made by hand, without torch."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def write_linear(path, inputs, outputs, batch=1):
    """Write y = x W + 1."""
    rng = np.random.default_rng(0)
    weights = [
        numpy_helper.from_array(rng.standard_normal((inputs, outputs)).astype(np.float32), "w"),
        numpy_helper.from_array(np.ones(outputs, np.float32), "b"),
    ]
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["x", "w", "b"], ["y"])],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, inputs])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, outputs])],
        weights,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path
