"""Integer weights and quantize nodes: kept where compilers look for them, else turned into what they compute."""

from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from .nodes import Constants, Node, consumers

HEAVY = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul", "Linear"})
ZEROS = ":zeros"  # ends the names of the zero points of weights
SIGNED = 128  # what turns unsigned bytes into signed ones
_HALVES = ("float16", "bfloat16")
_POSITIVE = frozenset({"Relu", "Sigmoid", "Softmax", "HardSigmoid", "Abs", "Exp"})
_KEEP_SIGN = frozenset(
    {"MaxPool", "AveragePool", "GlobalAveragePool", "ReduceMean", "Reshape", "Flatten", "Transpose", "Slice", "Squeeze"}
    | {"Unsqueeze", "Identity", "DequantizeLinear", "QuantizeLinear"}
)


def dequantized(nodes: list[Node], constants: Constants) -> list[Node]:
    """Turn dequantized constants into floats, but for the kernels of operations whose other input is integer too."""
    readers = consumers(nodes)
    integer = {node.outputs[0] for node in nodes if node.kind == "DequantizeLinear" and node.inputs[0] not in constants}
    kept = []
    for node in nodes:
        if node.kind != "DequantizeLinear" or node.inputs[0] not in constants:
            kept.append(node)
        elif all(_weighs(one, node.outputs[0], integer) for one in readers.get(node.outputs[0], [])) and (
            _plain_bytes(node, constants)
        ):
            kept.append(_signed(node, constants))
        else:
            constants[node.outputs[0]] = _floats(node, constants)
    return kept


def without_quantize(nodes: list[Node], constants: Constants) -> list[Node]:
    """Take the quantize nodes of activations out; those whose range begins at zero also do the work of a ReLU."""
    makers = {name: node for node in nodes for name in node.outputs}
    made = []
    for node in nodes:
        if node.kind == "DequantizeLinear" and node.inputs[0] not in constants:
            made.append(replace(node, kind="Identity", inputs=node.inputs[:1], attributes={}))
        elif node.kind == "QuantizeLinear" and node.inputs[0] not in constants:
            clips = _begins_at_zero(node, constants) and not _positive(node.inputs[0], makers)
            made.append(replace(node, kind="Relu" if clips else "Identity", inputs=node.inputs[:1], attributes={}))
        else:
            made.append(node)
    return made


def single(value: NDArray[Any]) -> NDArray[Any]:
    """Return floats of 16 bits as floats of 32."""
    return value.astype(np.float32) if value.dtype.name in _HALVES else value


def without_cast(node: Node) -> Node:
    """Leave out casts between floats, as all have the same width."""
    kinds = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16)
    floats = node.kind == "Cast" and node.attributes["to"] in kinds
    return replace(node, kind="Identity", attributes={}) if floats else node


def with_float_softmax(nodes: list[Node]) -> list[Node]:
    """Leave what a softmax gives in floats: where it is quantized in the graph, its scale is fixed by the runtime."""
    floats = {node.outputs[0] for node in nodes if node.kind == "Softmax"}
    made = []
    for node in nodes:
        if node.kind in ("QuantizeLinear", "DequantizeLinear") and node.inputs[0] in floats:
            floats.add(node.outputs[0])
            made.append(replace(node, kind="Identity", inputs=node.inputs[:1], attributes={}))
        else:
            made.append(node)
    return made


def _begins_at_zero(node: Node, constants: Constants) -> bool:
    zero = constants[node.inputs[2]] if len(node.inputs) > 2 and node.inputs[2] else np.zeros((), np.uint8)
    return bool(zero.size == 1 and int(zero.reshape(-1)[0]) == np.iinfo(zero.dtype).min)


def _positive(name: str, makers: dict[str, Node]) -> bool:
    """Whether a value cannot be negative, by the operations that made it."""
    node = makers.get(name)
    while node is not None and node.kind in _KEEP_SIGN:
        if node.kind == "QuantizeLinear":
            return True  # it was clipped there, if it had to be
        node = makers.get(node.inputs[0])
    return node is not None and node.kind in _POSITIVE


def _weighs(node: Node, name: str, integer: set[str]) -> bool:
    return node.kind in HEAVY and node.inputs[1] == name and node.inputs[0] in integer


def _plain_bytes(node: Node, constants: Constants) -> bool:
    return constants[node.inputs[0]].dtype in (np.int8, np.uint8) and not node.attributes.get("block_size")


def _signed(node: Node, constants: Constants) -> Node:
    """Write weights as signed bytes, and their zero points as whole numbers of 64 bits, one for each scale."""
    value, scale = constants[node.inputs[0]], constants[node.inputs[1]]
    zero = constants[node.inputs[2]] if len(node.inputs) > 2 and node.inputs[2] else np.zeros((), value.dtype)
    shift = SIGNED if value.dtype == np.uint8 else 0
    names = (f"{node.outputs[0]}:signed", f"{node.outputs[0]}{ZEROS}")
    constants[names[0]] = (value.astype(np.int16) - shift).astype(np.int8)
    constants[names[1]] = np.broadcast_to(zero.astype(np.int64) - shift, scale.shape).copy()
    return replace(node, inputs=(names[0], node.inputs[1], names[1]))


def _floats(node: Node, constants: Constants) -> NDArray[Any]:
    """Return a constant times its scale, per tensor, per channel or per block."""
    value, scale = constants[node.inputs[0]].astype(np.float32), constants[node.inputs[1]]
    zero = constants[node.inputs[2]].astype(np.float32) if len(node.inputs) > 2 and node.inputs[2] else np.float32(0)
    axis, block = node.attributes.get("axis", 1), node.attributes.get("block_size", 0)
    if block:
        length = value.shape[axis]
        scale = np.repeat(scale, block, axis).take(range(length), axis)
        zero = np.repeat(zero, block, axis).take(range(length), axis) if np.ndim(zero) else zero
    elif scale.ndim == 1 and value.ndim:
        along = [-1 if place == axis % value.ndim else 1 for place in range(value.ndim)]
        scale = scale.reshape(along)
        zero = zero.reshape(along) if np.ndim(zero) else zero
    made: NDArray[Any] = ((value - zero) * scale.astype(np.float32)).astype(scale.dtype)
    return made


def each_its_own(nodes: list[Node]) -> list[Node]:
    """Give every reader of a dequantized tensor a node of its own, as compilers group each with its reader."""
    copies: dict[str, Node] = {node.outputs[0]: node for node in nodes if node.kind == "DequantizeLinear"}
    seen: set[str] = set()
    made: list[Node] = []
    for node in nodes:
        names = list(node.inputs)
        for place, name in enumerate(names):
            if name in copies and name in seen:
                names[place] = f"{name}:{len(made)}:{place}"
                made.append(replace(copies[name], outputs=(names[place],)))
            seen.add(name)
        made.append(replace(node, inputs=tuple(names)))
    return made


def unfolded(nodes: list[Node], constants: Constants) -> list[Node]:
    """Write integer weights as floats that are quantized in the graph."""
    made: list[Node] = []
    for node in nodes:
        source = node.inputs[0]
        if node.kind == "DequantizeLinear" and source in constants:
            constants[f"{source}:floats"] = _floats(node, constants)
            inputs, written = (f"{source}:floats", *node.inputs[1:]), f"{node.outputs[0]}:quantized"
            made.append(Node("QuantizeLinear", inputs, (written,), node.attributes))
            made.append(replace(node, inputs=(written, *node.inputs[1:])))
        else:
            made.append(node)
    return made
