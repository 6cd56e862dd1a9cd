"""Storing the kernels and matrices of an ONNX file as integers; arithmetic stays in float.

Each becomes an integer constant with a DequantizeLinear node behind it. Groups run along the inputs of an output
channel; kernels of convolutions are stored as matrices for it and reshaped behind the node.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.errors import NotApplicable
from advisor.techniques.subject import Change, Need, Stage, Subject

from .step import WeightOnly

STAGE: Stage = "onnx"
_OPSET = 21  # the first in which DequantizeLinear knows 4 bits and blocks
_LAYERS = {"Conv": 1, "ConvTranspose": 1, "Gemm": 1, "MatMul": 1}  # input that holds the weights


@dataclass(frozen=True)
class Packed:
    """A matrix of integers with a scale and a zero point for every `block` entries along `axis`."""

    values: NDArray[np.int8]
    scales: NDArray[np.float32]
    zero_points: NDArray[np.int8]


def needs(step: WeightOnly) -> Need:
    """Tell which data the step cannot do without: none."""
    return "nothing"


def apply(step: WeightOnly, subject: Subject) -> Change:
    """Write the file anew with integer weights."""
    if subject.onnx is None:
        raise NotApplicable("weight_only works on an ONNX file")
    import onnx

    model = _at_opset(onnx.load(subject.onnx), _OPSET if step.bits == 4 or step.group_size else 13)
    chosen = dict(_weights(model))
    if not chosen:
        raise NotApplicable("weight_only finds no layer with constant weights in this file")
    for name, inputs_first in chosen.items():
        _store(model, name, step, inputs_first)
    target = subject.folder / "weight_only.onnx"
    partial = target.with_suffix(".partial")
    onnx.save(model, partial)
    os.replace(partial, target)
    grouped = f"in groups of {step.group_size}" if step.group_size else "per output channel"
    return Change(
        done=f"stored the weights of {len(chosen)} layers as int{step.bits}, {grouped}; arithmetic stays in float",
        onnx=target,
        details={"layers": len(chosen), "bits": step.bits, "group_size": step.group_size},
    )


def pack(matrix: NDArray[np.float32], bits: int, block: int, axis: int) -> Packed:
    """Quantize a matrix in blocks of `block` entries along `axis`, the last block perhaps shorter.

    8 bits are symmetric, so that kernels need no zero point; with 4 bits the offset is worth its half byte.
    """
    rows = matrix if axis == 1 else matrix.T
    count = -(-rows.shape[1] // block)
    padded = np.pad(rows, ((0, 0), (0, count * block - rows.shape[1])), mode="edge").reshape(len(rows), count, block)
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    if bits == 8:
        scale = np.abs(padded).max(axis=2) / high
        zero = np.zeros_like(scale)
    else:
        bottom, top = np.minimum(padded.min(axis=2), 0), np.maximum(padded.max(axis=2), 0)
        scale = (top - bottom) / (high - low)
        zero = np.where(scale > 0, np.clip(np.rint(low - bottom / np.where(scale > 0, scale, 1)), low, high), 0)
    scale = np.where(scale > 0, scale, 1).astype(np.float32)
    values = np.clip(np.rint(padded / scale[..., None]) + zero[..., None], low, high)
    values = values.reshape(len(rows), count * block)[:, : rows.shape[1]]
    found = (values.astype(np.int8), scale, zero.astype(np.int8))
    return Packed(*(found if axis == 1 else (part.T for part in found)))


def _weights(model: Any) -> Iterator[tuple[str, bool]]:
    """Yield every float constant that is the weight of layers alone, and whether inputs come first."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    readers: dict[str, list[tuple[Any, int]]] = {}
    for node in model.graph.node:
        for place, name in enumerate(node.input):
            readers.setdefault(name, []).append((node, place))
    for name, uses in readers.items():
        node = uses[0][0]
        layers = all(_LAYERS.get(user.op_type) == place for user, place in uses)
        tensor = constants.get(name)
        if tensor is None or not layers or tensor.data_type != 1 or len({user.op_type for user, _ in uses}) > 1:
            continue
        if len(tensor.dims) == 2 or node.op_type.startswith("Conv"):
            yield name, _inputs_first(node)


def _inputs_first(node: Any) -> bool:
    """Whether the weight's first axis is that of the inputs."""
    if node.op_type == "Gemm":
        return not any(a.name == "transB" and a.i for a in node.attribute)
    return node.op_type in ("MatMul", "ConvTranspose")


def _store(model: Any, name: str, step: WeightOnly, inputs_first: bool) -> None:
    """Replace the constant by integers, scales and zero points, and put the nodes that restore it in front."""
    from onnx import helper, numpy_helper

    graph = model.graph
    old = next(tensor for tensor in graph.initializer if tensor.name == name)
    array = numpy_helper.to_array(old)
    inputs_first = inputs_first and array.ndim == 2  # transposed convolutions take rows of their first axis
    matrix = array.reshape(array.shape[0], -1)
    axis = 0 if inputs_first else 1
    block = step.group_size or matrix.shape[axis]
    packed = pack(matrix.astype(np.float32), step.bits, block, axis)
    graph.initializer.remove(old)
    # Per channel the one-axis form of opset 13 does, which keeps the kernel's own shape.
    plain = not step.group_size
    shape = array.shape if plain else matrix.shape
    parts = {"values": packed.values.reshape(shape), "scale": packed.scales, "zero": packed.zero_points}
    if plain:
        parts |= {"scale": packed.scales.ravel(), "zero": packed.zero_points.ravel()}
    for part, content in parts.items():
        graph.initializer.append(_tensor(f"{name}_{part}", content, step.bits))
    reshaped = not plain and array.ndim != 2
    attributes = {"axis": 1 - axis} if plain else {"axis": axis, "block_size": block}
    inputs = [f"{name}_{part}" for part in parts]
    restored = f"{name}_matrix" if reshaped else name
    nodes = [helper.make_node("DequantizeLinear", inputs, [restored], name=f"{name}_restore", **attributes)]
    if reshaped:
        size = np.array(array.shape, dtype=np.int64)
        graph.initializer.append(numpy_helper.from_array(size, f"{name}_shape"))
        nodes.append(helper.make_node("Reshape", [restored, f"{name}_shape"], [name], name=f"{name}_reshape"))
    for place, new in enumerate(nodes):
        graph.node.insert(place, new)


def _tensor(name: str, content: Any, bits: int) -> Any:
    from onnx import TensorProto, helper, numpy_helper

    if content.dtype == np.float32 or bits == 8:
        return numpy_helper.from_array(np.ascontiguousarray(content), name)
    flat = content.ravel().astype(np.int64)
    flat = np.append(flat, 0) if len(flat) % 2 else flat
    packed = ((flat[1::2] & 15) << 4 | (flat[::2] & 15)).astype(np.uint8)
    return helper.make_tensor(name, TensorProto.INT4, content.shape, packed.tobytes(), raw=True)


def _at_opset(model: Any, least: int) -> Any:
    """Return the model at an opset that knows the nodes to be written."""
    import onnx

    version = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    if version >= least:
        return model
    try:
        return onnx.version_converter.convert_version(model, least)
    except (RuntimeError, ValueError) as error:
        raise NotApplicable(
            f"the graph cannot be brought from opset {version} to {least}: {str(error).splitlines()[0]}",
            remedy="Export the model with a newer opset, or take 8 bits per channel.",
        ) from error
