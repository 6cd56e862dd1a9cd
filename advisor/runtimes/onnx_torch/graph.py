"""Reading a graph for torch: what remains to be computed, with constant products as the layers that compilers know."""

from dataclasses import replace
from typing import Literal

import numpy as np
import onnx
from onnx import numpy_helper

from .dequantized import dequantized, each_its_own, single, unfolded, with_float_softmax, without_cast, without_quantize
from .flattened import inferred_shapes, without_flattening
from .nodes import Constants, Node, consumers, in_order, is_constant, read_node

Weights = Literal["integers", "quantized in the graph", "floats"]


def read_graph(model: onnx.ModelProto, weights: Weights = "integers") -> tuple[list[Node], Constants]:
    """Return the nodes that remain to be computed, and all constants.

    Integer weights are stored as such, or as floats that a node quantizes ('quantized in the graph': some compilers
    want to see it done); or the whole graph is one of floats ('floats': activations keep only what they clip at zero).
    """
    graph, outputs = model.graph, {one.name for one in model.graph.output}
    constants = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    nodes = in_order([read_node(one) for one in graph.node])
    nodes = [node for node in nodes if not is_constant(node, constants)]
    if weights == "floats":
        constants.update({name: single(value) for name, value in constants.items()})
        nodes = without_quantize([without_cast(node) for node in nodes], constants)
    if weights == "quantized in the graph":
        nodes = with_float_softmax(nodes)
    nodes = dequantized(nodes, constants)
    if weights == "floats":
        nodes = without_flattening(nodes, constants, inferred_shapes(model), outputs)
    nodes = _linear(nodes, constants)
    nodes = each_its_own(_with_bias(nodes, constants, outputs))
    return (unfolded(nodes, constants) if weights == "quantized in the graph" else nodes), constants


def _linear(nodes: list[Node], constants: Constants) -> list[Node]:
    """Write products with constant matrices as linear layers, whose weights compilers know; matrices are turned."""
    weights = {
        node.outputs[0]: node for node in nodes if node.kind == "DequantizeLinear" and node.inputs[0] in constants
    }
    turned: dict[str, Node] = {}
    made = []
    for node in nodes:
        name = node.inputs[1] if _untransposed(node) else ""
        if name in constants and constants[name].ndim == 2:
            constants[f"{name}:turned"] = np.ascontiguousarray(constants[name].T)
            made.append(_with_turned(node, f"{name}:turned"))
        elif name in weights and constants[weights[name].inputs[0]].ndim == 2:
            if name not in turned:
                turned[name] = _turned(weights[name], constants)
                made.append(turned[name])
            made.append(_with_turned(node, turned[name].outputs[0]))
        else:
            made.append(node)
    read = {name for node in made for name in node.inputs}
    return [node for node in made if node.outputs[0] in read or node.outputs[0] not in weights]


def _untransposed(node: Node) -> bool:
    return node.kind == "MatMul" or (node.kind == "Gemm" and not node.attributes.get("transB"))


def _with_turned(node: Node, weight: str) -> Node:
    """Return a product as one with a turned matrix; a product without more is a linear layer."""
    inputs = (node.inputs[0], weight, *node.inputs[2:])
    if node.kind == "MatMul":
        return replace(node, kind="Linear", inputs=inputs)
    return replace(node, inputs=inputs, attributes={**node.attributes, "transB": 1})


def _turned(weight: Node, constants: Constants) -> Node:
    source = f"{weight.outputs[0]}:bytes"
    constants[source] = np.ascontiguousarray(constants[weight.inputs[0]].T)
    attributes = {**weight.attributes, "axis": 1 - weight.attributes.get("axis", 1) % 2}
    inputs = (source, *weight.inputs[1:])
    return Node(weight.kind, inputs, (f"{weight.outputs[0]}:turned",), attributes)


def _with_bias(nodes: list[Node], constants: Constants, outputs: set[str]) -> list[Node]:
    """Take the sum with a constant row into the linear layer before it."""
    readers = consumers(nodes)
    maker = {node.outputs[0]: node for node in nodes if node.kind == "Linear" and len(node.inputs) == 2}
    gone: set[str] = set()  # what the products wrote
    made = []
    for node in nodes:
        pair = _product_and_row(node, maker, constants) if node.kind == "Add" else None
        if pair is None or len(readers[pair[0]]) > 1 or pair[0] in outputs:
            made.append(node)
            continue
        product = maker[pair[0]]
        gone.add(pair[0])
        made.append(replace(product, inputs=(*product.inputs, pair[1]), outputs=node.outputs))
    return [node for node in made if node.outputs[0] not in gone]


def _product_and_row(node: Node, maker: dict[str, Node], constants: Constants) -> tuple[str, str] | None:
    for product, row in (node.inputs, node.inputs[::-1]):
        if product in maker and row in constants and constants[row].ndim == 1:
            width = constants[maker[product].inputs[1]].shape[0] if maker[product].inputs[1] in constants else 0
            if constants[row].shape[0] == width:
                return product, row
    return None
