"""Layers at risk from int8: how much of the outputs' error each makes, and the ranges that explain it."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from advisor.schema import LayerNoise
from advisor.techniques.static_int8.graph import Array, Graph, Layer
from advisor.techniques.static_int8.observe import tensors
from advisor.techniques.static_int8.prepare import fold
from advisor.techniques.static_int8.sensitivity import Damage, Ranking, Tick, sensitivity
from advisor.techniques.static_int8.step import StaticInt8

Images = Callable[[], Iterator[Any]]

NOISY_DB = 25.0  # decibels: a layer that leaves more of the signal than this harms no network
SHARE = 3.0  # times its even share of the error, from which on a layer stands out
DEAD = 1e-4  # of a weight's largest channel range: channels below are dead, and their range says nothing
USUAL = 99.9  # percentile of a layer's inputs that its largest is held against


@dataclass(frozen=True)
class Ranges:
    """Ranges of weights and of activations on calibration images, by node."""

    weights: dict[str, float]  # largest over smallest channel range
    inputs: dict[str, float]  # largest over a percentile
    largest: float  # absolute input of any layer
    concat: float | None  # largest over smallest range of the inputs of a concatenation, worst one


@dataclass(frozen=True)
class Looked:
    """What rounding does, layer by layer."""

    layers: tuple[LayerNoise, ...]  # the noisiest first; those that the time sufficed for
    whole_sqnr_db: float
    ranges: Ranges
    complete: bool


def look(onnx: Path, images: Images, step: StaticInt8, folder: Path, *, symmetric: bool, seconds: float, tick: Tick
) -> Looked:  # fmt: skip
    """Measure layers of a float ONNX file on calibration images, for about so many seconds."""
    ranking = sensitivity(onnx, images, step, symmetric=symmetric, folder=folder, seconds=seconds, tick=tick)
    ranges = ranges_of(fold(onnx, folder), images)
    return Looked(_noise(ranking, ranges), ranking.whole_sqnr_db, ranges, ranking.complete)


def _noise(ranking: Ranking, ranges: Ranges) -> tuple[LayerNoise, ...]:
    known = [layer for layer in ranking.layers if layer.sqnr_db is not None]
    errors = [10 ** (-(layer.sqnr_db or 0.0) / 10) for layer in known]
    total = sum(errors) or 1.0
    return tuple(_layer(layer, error / total, len(known), ranges) for layer, error in zip(known, errors, strict=True))


def _layer(layer: Damage, share: float, count: int, ranges: Ranges) -> LayerNoise:
    decibels = layer.sqnr_db or 0.0
    return LayerNoise(
        layer=layer.layer,
        sqnr_db=decibels,
        share=round(share, 4),
        agreement=round(100 * (layer.agreement or 0.0), 2),
        weight_ratio=ranges.weights.get(layer.node),
        input_ratio=ranges.inputs.get(layer.node),
        at_risk=decibels < NOISY_DB and share >= min(1.0, SHARE / count),
    )


def ranges_of(graph: Graph, images: Images) -> Ranges:
    """Measure the ranges of a folded graph; activations batch by batch, so that few of them are held."""
    layers = graph.layers()
    joined = [node for node in graph.model.graph.node if node.op_type == "Concat"]
    read = {layer.node.name: layer.node.input[0] for layer in layers}
    parts = {node.name: [name for name in node.input if name not in graph.constants] for node in joined}
    names = {*read.values(), *(name for inputs in parts.values() for name in inputs)}
    largest: dict[str, float] = defaultdict(float)
    usual: dict[str, list[float]] = defaultdict(list)
    for found in tensors(graph, names, images()):
        for name, values in found.items():
            if values.size and np.issubdtype(values.dtype, np.floating):
                size = np.abs(values)
                largest[name] = max(largest[name], float(size.max()))
                usual[name].append(float(np.percentile(size, USUAL)))
    inputs = {node: largest[name] / middle for node, name in read.items() if (middle := _middle(usual[name])) > 0}
    concat = [_spread([largest[name] for name in inputs_]) for inputs_ in parts.values() if len(inputs_) > 1]
    return Ranges(
        {layer.node.name: ratio for layer in layers if (ratio := weight_ratio(graph, layer)) is not None},
        {node: round(ratio, 2) for node, ratio in inputs.items()},
        max((largest[name] for name in read.values()), default=0.0),
        max((ratio for ratio in concat if ratio is not None), default=None),
    )


def weight_ratio(graph: Graph, layer: Layer) -> float | None:
    """Return the largest over the smallest range of a weight's output channels, dead ones left out."""
    values: Array = np.abs(graph.array(layer.weight))
    if values.ndim < 2:
        return None
    axis = layer.out_axis if layer.node.op_type != "MatMul" else values.ndim - 1
    ranges = values.max(axis=tuple(i for i in range(values.ndim) if i != axis))
    alive = ranges[ranges > DEAD * ranges.max()]
    return round(float(alive.max() / alive.min()), 2) if alive.size else None


def _middle(values: list[float]) -> float:
    return float(np.median(values)) if values else 0.0


def _spread(values: list[float]) -> float | None:
    alive = [value for value in values if value > 0]
    return round(max(alive) / min(alive), 2) if len(alive) > 1 else None
