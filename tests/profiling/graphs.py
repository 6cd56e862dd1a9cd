"""Small ONNX graphs written by hand."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

F = TensorProto.FLOAT
RANDOM = np.random.default_rng(0)


def floats(*shape):
    return RANDOM.normal(size=shape).astype(np.float32)


def write(path, nodes, stored=None, inputs=((1, 3, 8, 8),), outputs=("y",), functions=()):
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info(f"x{i or ''}", F, shape) for i, shape in enumerate(inputs)],
        [helper.make_tensor_value_info(name, F, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in (stored or {}).items()],
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("com.microsoft", 1), helper.make_opsetid("own", 1)]
    model = helper.make_model(graph, opset_imports=opsets, functions=functions, ir_version=10)
    for output, inferred in zip(graph.output, onnx.shape_inference.infer_shapes(model).graph.output, strict=True):
        if inferred.type.tensor_type.HasField("shape"):
            output.CopyFrom(inferred)
        else:
            output.CopyFrom(helper.make_tensor_value_info(output.name, F, [None] * 4))
    model.graph.CopyFrom(graph)
    onnx.save(model, path)
    return path


def node(kind, inputs, outputs="y", **attributes):
    return helper.make_node(kind, inputs.split(), outputs.split(), **attributes)


def only(workload, kind):
    (op,) = [op for op in workload.ops if op.kind is kind]
    return op
