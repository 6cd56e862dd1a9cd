"""Linear layers that were written as a flat product between two reshapes: ONNX Runtime's preparation for int8 does so.

Compilers that follow the batch axis through the graph lose it there.
"""

from dataclasses import replace

import numpy as np
import onnx

from .nodes import Constants, Node, consumers

Shapes = dict[str, tuple[int, ...]]


def inferred_shapes(model: onnx.ModelProto) -> Shapes:
    """Return the shapes of all values that are known, dimensions left open as 0."""
    graph = onnx.shape_inference.infer_shapes(model).graph
    told = (*graph.input, *graph.value_info, *graph.output)
    return {one.name: tuple(dim.dim_value for dim in one.type.tensor_type.shape.dim) for one in told}


def without_flattening(nodes: list[Node], constants: Constants, shapes: Shapes, outputs: set[str]) -> list[Node]:
    """Write reshape, product and reshape as one linear layer where only the last axis changes."""
    nodes = _without_identities(nodes, outputs)
    makers = {name: node for node in nodes for name in node.outputs}
    readers = consumers(nodes)
    replaced: dict[int, Node] = {}
    gone: set[int] = set()
    for node in nodes:
        before = makers.get(node.inputs[0]) if node.kind == "Gemm" else None
        after = readers.get(node.outputs[0], [])
        if before is None or before.kind != "Reshape" or len(after) != 1 or after[0].kind != "Reshape":
            continue
        if not _keeps_axes(shapes.get(before.inputs[0]), shapes.get(after[0].outputs[0])) or not _plain(node):
            continue
        weight = node.inputs[1]
        if not node.attributes.get("transB"):
            constants[f"{weight}:turned"] = np.ascontiguousarray(constants[weight].T)
            weight = f"{weight}:turned"
        inputs = (before.inputs[0], weight, *node.inputs[2:])
        replaced[id(node)] = Node("Linear", inputs, after[0].outputs)
        gone.add(id(after[0]))
    return [replaced.get(id(node), node) for node in nodes if id(node) not in gone]


def _keeps_axes(before: tuple[int, ...] | None, after: tuple[int, ...] | None) -> bool:
    return (
        before is not None and after is not None and len(before) > 2 and 0 not in before and before[:-1] == after[:-1]
    )


def _plain(node: Node) -> bool:
    scaled = node.attributes.get("alpha", 1.0) != 1.0 or node.attributes.get("beta", 1.0) != 1.0
    return not scaled and not node.attributes.get("transA")


def _without_identities(nodes: list[Node], outputs: set[str]) -> list[Node]:
    """Let readers of a copy read the original; copies that are outputs of the graph stay."""
    original: dict[str, str] = {}
    made = []
    for node in nodes:
        inputs = tuple(original.get(name, name) for name in node.inputs)
        if node.kind == "Identity" and node.outputs[0] not in outputs:
            original[node.outputs[0]] = inputs[0]
            continue
        made.append(replace(node, inputs=inputs))
    return made
