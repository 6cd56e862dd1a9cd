"""SmoothQuant: outlying channels behind a LayerNorm are divided, the linear layers that read them multiplied.

The factor of channel j is max|X_j|^alpha / max|W_j|^(1 - alpha) (Xiao et al., ICML 2023); it goes into the norm's own
scale and shift, so that the network computes the same with no operation more.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from .graph import Array, Graph, Layer

_LEAST = 1e-5


def norms(graph: Graph) -> dict[str, tuple[Any, tuple[Layer, ...]]]:
    """Return, by output, the LayerNorms that only linear layers read, and these."""
    layers = {id(layer.node): layer for layer in graph.layers()}
    found: dict[str, tuple[Any, tuple[Layer, ...]]] = {}
    for node in graph.model.graph.node:
        if node.op_type != "LayerNormalization" or node.output[0] in graph.outputs:
            continue
        if any(name not in graph.constants for name in node.input[1:]):
            continue
        readers = _readers(graph, node)
        if readers and all(id(reader) in layers for reader in readers):
            linear = tuple(layers[id(reader)] for reader in readers)
            if all(one.node.op_type in ("MatMul", "Gemm") and len(graph.readers[one.weight]) == 1 for one in linear):
                found[node.output[0]] = (node, linear)
    return found


def smooth(graph: Graph, alpha: float, largest: dict[str, Array]) -> int:
    """Migrate the ranges `largest` (by norm output, per channel) into the weights, in place; return how many norms."""
    chosen = {name: found for name, found in norms(graph).items() if name in largest}
    for name, (node, linear) in chosen.items():
        _own_constants(graph, node)
        rows = [np.abs(graph.array(layer.weight)).max(layer.out_axis) for layer in linear]
        weights = np.maximum(np.max(rows, axis=0), _LEAST)
        factor = np.maximum(largest[name], _LEAST) ** alpha / weights ** (1 - alpha)
        factor = np.maximum(factor, _LEAST).astype(np.float32)
        for constant in node.input[1:]:
            graph.set(constant, graph.array(constant) / factor)
        for layer in linear:
            values = graph.array(layer.weight)
            graph.set(layer.weight, values * (factor if layer.out_axis == 0 else factor[:, None]))
    return len(chosen)


def largest_by_channel(batches: Iterable[dict[str, Array]]) -> dict[str, Array]:
    """Return the largest magnitude of every channel (last axis) of every tensor over the batches."""
    found: dict[str, Array] = {}
    for tensors in batches:
        for name, values in tensors.items():
            reach = np.abs(values).reshape(-1, values.shape[-1]).max(0)
            found[name] = np.maximum(found[name], reach) if name in found else reach
    return found


def _readers(graph: Graph, norm: Any) -> list[Any]:
    """Return what reads the norm's output, looking through reshapes before a Gemm that leave the channels alone."""
    found = []
    for reader in graph.readers.get(norm.output[0], ()):
        inner = graph.single_reader(reader.output[0]) if reader.op_type == "Reshape" else None
        found.append(inner if inner is not None and inner.op_type == "Gemm" else reader)
    return found


def _own_constants(graph: Graph, node: Any) -> None:
    """Let the norm change its scale and shift without changing those of others."""
    for place, name in enumerate(node.input[1:], 1):
        if len(graph.readers[name]) > 1:
            graph.readers[name].remove(node)
            node.input[place] = graph.add(f"{node.output[0]}@{place}", graph.array(name))
            graph.readers[node.input[place]] = [node]
