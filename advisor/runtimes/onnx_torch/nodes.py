"""Nodes and constants of a graph, as they are read from an ONNX file."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

Constants = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Node:
    """One operation: names of what it reads ('' where left out) and writes."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any] = field(default_factory=dict)


def read_node(node: onnx.NodeProto) -> Node:
    """Return a node with its attributes as Python values."""
    attributes = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
    return Node(node.op_type, tuple(node.input), tuple(node.output), attributes)


def in_order(nodes: list[Node]) -> list[Node]:
    """Return the nodes so that each reads what earlier ones wrote: some tools add casts at the end of the list."""
    written = {name for node in nodes for name in node.outputs}
    missing = {id(node): sum(name in written for name in set(node.inputs)) for node in nodes}
    readers = consumers(nodes)
    ready, made = [node for node in nodes if not missing[id(node)]], list[Node]()
    while ready:
        node = ready.pop(0)
        made.append(node)
        for name in node.outputs:
            for reader in {id(one): one for one in readers.get(name, [])}.values():
                missing[id(reader)] -= 1
                ready += [reader] if not missing[id(reader)] else []
    if len(made) < len(nodes):
        raise ValueError("the graph runs in a circle")
    return made


def is_constant(node: Node, constants: Constants) -> bool:
    """Take nodes that give nothing but a constant among the constants."""
    if node.kind == "Constant":
        (value,) = node.attributes.values()
        plain = numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else np.array(value)
        constants[node.outputs[0]] = plain
        return True
    if node.kind in ("Identity", "Cast") and node.inputs[0] in constants:
        value = constants[node.inputs[0]]
        wanted = onnx.helper.tensor_dtype_to_np_dtype(node.attributes["to"]) if node.kind == "Cast" else value.dtype
        constants[node.outputs[0]] = value.astype(wanted)
        return True
    return False


def consumers(nodes: list[Node]) -> dict[str, list[Node]]:
    """Return which nodes read a value."""
    found: dict[str, list[Node]] = {}
    for node in nodes:
        for name in node.inputs:
            found.setdefault(name, []).append(node)
    return found
