"""Bias correction: rounding the weights shifts the mean of a layer's outputs; the shift is taken off its bias.

The shift of an output is the weights' rounding error times the mean input (Nagel et al., ICCV 2019, equation 16 and
appendix D with means from images). It is subtracted in the file's own int32 biases, after quantization.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from .graph import Array, Graph, Layer

_INTEGER = "_quantized"


def mean_by_channel(batches: Iterable[Mapping[str, Array]]) -> dict[str, Array]:
    """Return the mean of every channel (second axis) of every tensor over the batches, which count equally."""
    sums: dict[str, Array] = {}
    seen = 0
    for tensors in batches:
        seen += 1
        for name, values in tensors.items():
            mean = values.mean(axis=(0, *range(2, values.ndim)), dtype=np.float64)
            sums[name] = sums[name] + mean if name in sums else mean
    return {name: total / seen for name, total in sums.items()}


def correctable(graph: Graph) -> tuple[Layer, ...]:
    """Return the layers whose channels lie on the second axis and that have a bias of their own."""
    return tuple(
        layer
        for layer in graph.layers()
        if layer.node.op_type in ("Conv", "Gemm") and layer.bias and len(graph.readers[layer.bias]) == 1
    )


def correct(prepared: Graph, quantized: Path, means: Mapping[str, Array]) -> int:
    """Correct the biases of the file `quantized`, made from `prepared`; return how many layers had a shift."""
    result = Graph.read(quantized)
    corrected = 0
    for layer in correctable(prepared):
        integers, scale = f"{layer.bias}{_INTEGER}", f"{layer.bias}{_INTEGER}_scale"
        rounded = rounded_weight(result, layer)
        if rounded is None or integers not in result.constants or scale not in result.constants:
            continue
        shift = _shift(rounded - prepared.array(layer.weight), means[layer.node.input[0]], layer)
        steps = np.rint(shift / result.array(scale)).astype(np.int64)
        wanted = result.array(integers).astype(np.int64) - steps
        result.set(integers, np.clip(wanted, np.iinfo(np.int32).min, np.iinfo(np.int32).max).astype(np.int32))
        corrected += bool(steps.any())
    result.save(quantized)
    return corrected


def rounded_weight(result: Graph, layer: Layer) -> Array | None:
    """Return the weights as the file holds them, in float; None where they stayed so."""
    name = f"{layer.weight}{_INTEGER}"
    if name not in result.constants:
        return None
    integers = result.array(name).astype(np.float32)
    scale, zero = result.array(f"{layer.weight}_scale"), result.array(f"{layer.weight}_zero_point")
    shape = [1] * integers.ndim
    shape[layer.out_axis] = -1
    values: Array = (integers - zero.reshape(shape if zero.ndim else ()).astype(np.float32)) * (
        scale.reshape(shape) if scale.ndim else scale
    )
    return values


def _shift(error: Array, mean: Array, layer: Layer) -> Array:
    """Return what the weights' error adds to every output on average."""
    if layer.node.op_type == "Gemm":
        shift: Array = error @ mean if layer.out_axis == 0 else mean @ error
        return shift
    outputs, width = error.shape[0] // layer.groups, error.shape[1]
    summed = error.reshape(layer.groups, outputs, width, -1).sum(-1)
    shift = np.einsum("goi,gi->go", summed, mean.reshape(layer.groups, width)).ravel()
    return shift
