"""Scales that are powers of two, for devices that divide by shifting: symmetric, chosen before the file is written."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from .graph import Array, Graph, Layer
from .step import StaticInt8

_ELEMENTWISE = frozenset({"Add", "Sub", "Mul", "Div", "Concat"})
_SMALLEST = -60  # exponent of a scale whose tensor is zero everywhere


def overrides(graph: Graph, ranges: Mapping[str, Any], step: StaticInt8, kept: Collection[str]) -> dict[str, Any]:
    """Return onnxruntime's `TensorQuantOverrides` for activations (by their ranges), constants, and weights."""
    zero = 128 if step.signedness[0] == "u" else 0
    found: dict[str, Any] = {}
    for name in ranges:
        reach = max(float(np.max(np.abs(end))) for end in ranges[name].range_value)
        found[name] = [_override(covering(reach, 127), zero)]
    layers = {layer.weight: layer for layer in graph.layers()}
    for name, tensor in graph.constants.items():
        readers = [node for node in graph.readers.get(name, ()) if node.name not in kept]
        if tensor.data_type == 1 and readers and all(node.op_type in _ELEMENTWISE for node in readers):
            found[name] = [_override(covering(float(np.abs(graph.array(name)).max(initial=0)), 127), zero)]
    for name, layer in layers.items():
        found[name] = _weight(graph.array(name), layer, step)
    return found


def covering(reach: float, limit: int) -> float:
    """Return the least power of two with which `limit` steps reach `reach`."""
    return float(2.0 ** np.ceil(np.log2(reach / limit))) if reach > 0 else 2.0**_SMALLEST


def nearest(values: Array, limit: int) -> float:
    """Return the covering power of two or the next finer one, whichever rounds `values` with less squared error."""
    coarse = covering(float(np.abs(values).max(initial=0)), limit)

    def error(scale: float) -> float:
        return float(np.square(np.clip(np.rint(values / scale), -limit - 1, limit) * scale - values).sum())

    return min((coarse, coarse / 2), key=error)


def _weight(values: Array, layer: Layer, step: StaticInt8) -> list[dict[str, Any]]:
    limit = 64 if step.reduce_range else 127
    zero = 128 if step.signedness[2] == "u" else 0
    if step.weights == "per_tensor":
        return [_override(nearest(values, limit), zero)]
    rows = np.moveaxis(values, layer.out_axis, 0)
    return [{**_override(nearest(row, limit), zero), "axis": layer.out_axis} for row in rows]


def _override(scale: float, zero: int) -> dict[str, Any]:
    return {"scale": np.array(scale, np.float32), "zero_point": np.array(zero, np.uint8)}  # 0 or 128
