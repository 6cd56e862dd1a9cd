"""Integer layers for ncnn, from the scales of an ONNX file with quantize nodes instead of a calibration of its own.

ncnn multiplies signed bytes of symmetric ranges: an activation that begins at zero keeps 127 of the 255 steps that an
unsigned one has. Layers are written as its tool ncnn2int8 writes them.
"""

import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from .ncnn_param import Layer, Param

_TAG = struct.pack("<I", 0x000D4B38)  # bytes follow
_FLOATS = struct.pack("<I", 0)
# of a kind: settings of the size of the weights, of the outputs, of whether there is a bias, and the one that says int8
_SETTINGS = {"Convolution": ("6", "0", "5", "8", 2), "ConvolutionDepthWise": ("6", "0", "5", "8", 1),
             "InnerProduct": ("2", "0", "1", "8", 2)}  # fmt: skip


@dataclass(frozen=True)
class Quantized:
    """A weight as the file stores it, with what its input reaches."""

    bytes_: NDArray[np.int8]
    scales: NDArray[np.float32]  # a float is a byte times its scale; one for each output
    reach: float  # largest magnitude of the input

    @property
    def floats(self) -> bytes:
        """The weight as pnnx finds and stores it."""
        along = self.scales.reshape(-1, *([1] * (self.bytes_.ndim - 1)))
        return (self.bytes_.astype(np.float32) * along).astype("<f4").tobytes()

    def shared(self, groups: int) -> "Quantized":
        """Return the weight with one scale for all outputs of a group, the largest, as ncnn stores grouped ones."""
        widest = self.scales.reshape(groups, -1).max(axis=1)
        each = np.repeat(widest, len(self.scales) // groups)
        ratio = (self.scales / np.maximum(each, 1e-30)).reshape(-1, *([1] * (self.bytes_.ndim - 1)))
        return Quantized(np.rint(self.bytes_ * ratio).astype(np.int8), widest, self.reach)


def with_integers(file: Path, param: Param, weights: bytes) -> tuple[Param, bytes]:
    """Return layers and weights with integer layers in place of those whose weights and inputs the file quantizes.

    A layer is known by its weights; one whose weights pnnx has changed stays float.
    """
    known = {one.floats: one for one in _quantized(onnx.load(file))}
    if not known:
        return param, weights
    layers, content, at = [], bytearray(), 0
    for layer in param.layers:
        found = _found(layer, known, weights, at)
        if found is None:
            layers.append(layer)
            continue
        place, one = found
        content += weights[at : place - len(_FLOATS)]
        bias_at = place + len(one.floats)
        _, outputs, has_bias, says_int8, value = _SETTINGS[layer.kind]
        bias = 4 * layer.number(outputs) if layer.number(has_bias) else 0
        content += _written(layer, one, weights[bias_at : bias_at + bias])
        at = bias_at + bias
        layers.append(replace(layer, settings={**layer.settings, says_int8: str(value)}))
    return Param(tuple(layers)), bytes(content + weights[at:])


def _found(layer: Layer, known: dict[bytes, Quantized], weights: bytes, at: int) -> tuple[int, Quantized] | None:
    """Return where the weights of a layer lie behind `at`, and what they were; None where it stays float."""
    if layer.kind not in _SETTINGS:
        return None
    size = 4 * layer.number(_SETTINGS[layer.kind][0])
    places = ((weights.find(_FLOATS + floats, at), one) for floats, one in known.items() if len(floats) == size)
    hits = [(place + len(_FLOATS), one) for place, one in places if place >= 0]
    return min(hits, key=lambda hit: hit[0]) if hits else None


def _written(layer: Layer, one: Quantized, bias: bytes) -> bytes:
    """Write a layer: bytes filled up to whole words, bias, scales of the weights, scale of the input."""
    if layer.kind == "ConvolutionDepthWise":
        one = one.shared(layer.number("7"))
    stored = one.bytes_.tobytes()
    stored += b"\0" * (-len(stored) % 4)
    scales = np.where(one.scales > 0, 1 / np.maximum(one.scales, 1e-30), 0).astype("<f4")
    return _TAG + stored + bias + scales.tobytes() + struct.pack("<f", 127 / max(one.reach, 1e-30))


def _quantized(model: onnx.ModelProto) -> list[Quantized]:
    """Return the weights of convolutions and dense layers whose input and weight both come from bytes."""
    constants = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    makers = {node.output[0]: node for node in model.graph.node if node.op_type == "DequantizeLinear"}
    found = []
    for node in model.graph.node:
        if node.op_type not in ("Conv", "Gemm") or not {node.input[0], node.input[1]} <= makers.keys():
            continue
        activation, weight = makers[node.input[0]], makers[node.input[1]]
        if weight.input[0] in constants and activation.input[0] not in constants:
            one = _weight(node, weight, constants, _reach(activation, constants))
            found += [] if one is None else [one]
    return found


def _weight(node: Any, weight: Any, constants: dict[str, NDArray[Any]], reach: float | None) -> Quantized | None:
    value, scale = constants[weight.input[0]], np.atleast_1d(constants[weight.input[1]])
    zero = constants[weight.input[2]] if len(weight.input) > 2 else np.zeros(1, value.dtype)
    turned = {one.name: one.i for one in node.attribute}
    plain = node.op_type == "Conv" or bool(turned.get("transB"))
    if value.dtype != np.int8 or np.any(zero) or not plain or turned.get("transA") or reach is None:
        return None
    outputs = len(value)
    if len(scale) not in (1, outputs):
        return None
    return Quantized(value, np.broadcast_to(scale, outputs).astype(np.float32), reach)


def _reach(node: Any, constants: dict[str, NDArray[Any]]) -> float | None:
    """Return the largest magnitude that the input of a layer can have; None if it has several scales."""
    scale = constants[node.input[1]]
    zero = constants[node.input[2]] if len(node.input) > 2 else np.zeros((), np.uint8)
    if scale.size != 1 or zero.dtype not in (np.uint8, np.int8):
        return None
    limits, middle = np.iinfo(zero.dtype), int(zero.reshape(-1)[0])
    return float(scale.reshape(-1)[0]) * max(limits.max - middle, middle - limits.min)
