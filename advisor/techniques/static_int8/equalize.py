"""Cross-layer equalization: channels of neighbouring layers get the same range, the network's outputs do not change.

A channel may be divided by s behind one convolution and its weights in the next multiplied by s where nothing but a
positively homogeneous function (ReLU, leaky ReLU, average or maximum pooling) lies between (Nagel et al., ICCV 2019).
A Clip to [0, c] (ReLU6) is none; as in that paper it becomes a ReLU, but only where the network allows it, which the
caller has to measure.
"""

from typing import Any, NamedTuple

import numpy as np

from .graph import Array, Graph, Layer, attribute

ROUNDS = 40  # ranges of a chain of layers settle within a few rounds
SETTLED = 1e-4  # largest relative change of a factor in the last round
_LEAST = 1e-8  # channels with smaller weights are dead and stay as they are
_HOMOGENEOUS = frozenset({"Relu", "LeakyRelu", "GlobalAveragePool", "AveragePool", "MaxPool", "Identity"})


class Pair(NamedTuple):
    """Two layers with nothing but homogeneous functions between them, and the clips that would have to go."""

    first: Layer
    second: Layer
    clips: tuple[Any, ...]


def pairs(graph: Graph) -> tuple[Pair, ...]:
    """Return every pair of convolutions whose channels can be scaled against each other."""
    layers = {id(layer.node): layer for layer in graph.layers()}
    own = [layer for layer in layers.values() if layer.node.op_type == "Conv" and _alone(graph, layer)]
    return tuple(pair for layer in own if (pair := _pair(graph, layer, layers)) is not None)


def equalize(graph: Graph, chosen: tuple[Pair, ...]) -> None:
    """Scale the pairs against each other until nothing changes, in place."""
    for _ in range(ROUNDS):
        if max((_scale(graph, pair) for pair in chosen), default=0.0) < SETTLED:
            break


def open_clips(graph: Graph, chosen: tuple[Pair, ...]) -> int:
    """Turn the clips between pairs into ReLUs, in place; return how many."""
    clips = {id(clip): clip for pair in chosen for clip in pair.clips}
    for clip in clips.values():
        clip.op_type = "Relu"
        del clip.input[1:]
        del clip.attribute[:]
    return len(clips)


def _alone(graph: Graph, layer: Layer) -> bool:
    """Whether the layer's constants may be changed: nobody else reads them."""
    names = [layer.weight] + ([layer.bias] if layer.bias else [])
    return all(len(graph.readers[name]) == 1 for name in names)


def _pair(graph: Graph, first: Layer, layers: dict[int, Layer]) -> Pair | None:
    clips = []
    node = graph.single_reader(first.node.output[0])
    while node is not None and id(node) not in layers:
        if _is_relu6(graph, node):
            clips.append(node)
        elif node.op_type not in _HOMOGENEOUS or node.input[0] in graph.outputs:
            return None
        node = graph.single_reader(node.output[0])
    second = layers.get(id(node)) if node is not None else None
    if second is None or second.node.op_type != "Conv" or not _alone(graph, second):
        return None
    return Pair(first, second, tuple(clips))


def _is_relu6(graph: Graph, node: Any) -> bool:
    """Whether a node clips from zero to something."""
    if node.op_type != "Clip":
        return False
    if len(node.input) < 2 or node.input[1] not in graph.constants:
        return bool(attribute(node, "min", None) == 0)
    return float(graph.array(node.input[1])) == 0


def _scale(graph: Graph, pair: Pair) -> float:
    """Give both sides of every channel the same range; return the largest relative change."""
    first, second = graph.array(pair.first.weight), graph.array(pair.second.weight)
    before = np.abs(first).reshape(len(first), -1).max(1)
    behind = _by_input(second, pair.second.groups)
    after = np.abs(behind).max((1, 2))
    alive = (before > _LEAST) & (after > _LEAST)
    factor = np.where(alive, np.sqrt(before * after) / np.where(alive, after, 1), 1.0).astype(np.float32)
    graph.set(pair.first.weight, first / factor.reshape(-1, *[1] * (first.ndim - 1)))
    if pair.first.bias:
        graph.set(pair.first.bias, graph.array(pair.first.bias) / factor)
    graph.set(pair.second.weight, _scaled(second, factor, pair.second.groups))
    return float(np.abs(factor - 1).max())


def _by_input(weight: Array, groups: int) -> Array:
    """Return a convolution's weights by input channel: (inputs, outputs that read it, kernel)."""
    outputs, width = weight.shape[0] // groups, weight.shape[1]
    split = weight.reshape(groups, outputs, width, -1)
    return split.transpose(0, 2, 1, 3).reshape(groups * width, outputs, -1)


def _scaled(weight: Array, factor: Array, groups: int) -> Array:
    outputs, width = weight.shape[0] // groups, weight.shape[1]
    split = weight.reshape(groups, outputs, width, -1)
    result: Array = (split * factor.reshape(groups, 1, width, 1)).reshape(weight.shape)
    return result
