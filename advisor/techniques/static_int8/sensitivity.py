"""Which layers suffer most from int8: each alone is rounded, and the error of the network's outputs is measured.

A layer is rounded as the int8 file has it: its weights on their grid, its inputs within the range found on calibration
images. All else stays float, so that the errors can be told apart; they add up nearly, as independent noise does.
"""

import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .correct import rounded_weight
from .graph import Array, Graph
from .make import Made, make
from .observe import agreement, outputs, sqnr
from .prepare import Images
from .scope import behind, named
from .step import StaticInt8
from .write import write

SCAN_IMAGES = 64  # that a ranking is measured on
_LAYERS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})

Tick = Callable[[str, int, int], None]  # layer, how many are done, of how many


@dataclass(frozen=True)
class Damage:
    """What rounding one layer alone does to the outputs; nothing where the time was over."""

    layer: str  # module path where the graph still tells, else the node's name; `float_layers` takes it
    node: str
    sqnr_db: float | None = None  # signal over error of the outputs, in decibels
    agreement: float | None = None  # share of images with the same largest output


@dataclass(frozen=True)
class Ranking:
    """Layers from the most damaged to the least, then those that the time did not suffice for."""

    layers: tuple[Damage, ...]
    whole_sqnr_db: float  # with all of them rounded, as in the file that would ship
    whole_agreement: float
    images: int

    @property
    def complete(self) -> bool:
        """Whether every layer was measured."""
        return all(layer.sqnr_db is not None for layer in self.layers)

    def worst(self, count: int) -> tuple[str, ...]:
        """Return the names of the most damaged layers."""
        return tuple(layer.layer for layer in self.layers[:count])


def sensitivity(
    onnx: Path,
    batches: Images | Iterable[Array],
    step: StaticInt8 | None = None,
    *,
    symmetric: bool = False,
    folder: Path | None = None,
    seconds: float | None = None,
    tick: Tick | None = None,
) -> Ranking:
    """Rank the layers of a float ONNX file by what int8 does to them.

    `batches` are float32 NCHW of the file's batch size, or a function that yields them anew each time; `step` says how
    is rounded. After `seconds` no further layer is begun: those whose weights round worst come first.
    """
    images = batches if callable(batches) else _again(batches)
    plain = (step or StaticInt8()).model_copy(update={"float_layers": (), "keep_float": 0.0, "target_sqnr": None})
    if folder is None:
        with tempfile.TemporaryDirectory() as own:
            return sensitivity(onnx, images, plain, symmetric=symmetric, folder=Path(own), seconds=seconds, tick=tick)
    began = time.monotonic()
    made = make(plain, onnx, images, folder, symmetric=symmetric)
    graph, result, feeds = Graph.read(made.prepared), Graph.read(made.target), list(images())
    reference = outputs(made.prepared, feeds)
    shipped = outputs(made.target, feeds)
    todo = _in_order(graph, result, frozenset(made.found.kept))
    measured: list[Damage] = []
    for index, damage in enumerate(todo):
        if seconds is not None and measured and time.monotonic() - began > seconds:
            measured += todo[index:]
            break
        found = outputs(_rounded(graph, result, damage.node), feeds)
        measured.append(
            replace(damage, sqnr_db=round(sqnr(reference, found), 3), agreement=agreement(reference, found))
        )
        if tick is not None:
            tick(damage.layer, index + 1, len(todo))
    measured.sort(key=lambda one: np.inf if one.sqnr_db is None else one.sqnr_db)
    return Ranking(tuple(measured), round(sqnr(reference, shipped), 3), agreement(reference, shipped), len(reference))


def chosen_by_sqnr(
    step: StaticInt8, source: Path, images: Images, ranking: Ranking, folder: Path, *, symmetric: bool
) -> StaticInt8:
    """Return the step with as few of the worst layers in float as reach its `target_sqnr`, or with all of them.

    Each try is the int8 file itself, with the ranges found once.
    """
    target = step.target_sqnr or 0.0
    if ranking.whole_sqnr_db >= target:
        return step
    plain = step.model_copy(update={"keep_float": 0.0, "target_sqnr": None})
    made = make(plain, source, images, folder, symmetric=symmetric)
    feeds = list(images())
    reference = outputs(made.prepared, feeds)
    few, many = 0, len(ranking.layers)  # too few, and enough or all that there are
    while many - few > 1:
        middle = (few + many) // 2
        reached = sqnr(reference, outputs(_mixed(plain, made, ranking.worst(middle)), feeds))
        few, many = (few, middle) if reached >= target else (middle, many)
    return step.model_copy(update={"float_layers": ranking.worst(many)})


def _mixed(step: StaticInt8, made: Made, names: tuple[str, ...]) -> Path:
    """Write the file with these layers in float, from ranges that are known."""
    graph = Graph.read(made.prepared)
    layers = named(graph, names)
    kept = {*made.found.kept, *layers, *behind(graph, layers)}
    target = made.target.with_name("mixed.onnx")
    write(step, made.prepared, target, replace(made.found, kept=tuple(sorted(kept))))
    return target


def _in_order(graph: Graph, result: Graph, kept: frozenset[str]) -> list[Damage]:
    """List the layers that are rounded, those with the worst rounded weights first, products of activations last."""
    weighted = {layer.node.name: layer for layer in graph.layers()}
    order: list[tuple[float, Damage]] = []
    for node in graph.model.graph.node:
        if node.op_type not in _LAYERS or node.name in kept:
            continue
        layer = weighted.get(node.name)
        values = None if layer is None else rounded_weight(result, layer)
        loss = np.inf if layer is None or values is None else sqnr(graph.array(layer.weight), values)
        order.append((float(loss), Damage(layer.name if layer else node.name, node.name)))
    return [damage for _, damage in sorted(order, key=lambda pair: pair[0])]


def _rounded(plain: Graph, result: Graph, name: str) -> bytes:
    """Return the float model with one node rounded as in the int8 file: inputs, weight, and an output read by sums."""
    graph = plain.copy()
    place, node = next((i, n) for i, n in enumerate(graph.model.graph.node) if n.name == name)
    layer = next((one for one in graph.layers() if one.node.name == name), None)
    values = None if layer is None else rounded_weight(result, layer)
    if values is not None:
        node.input[1] = graph.add(f"{name}/weight", values)
    before = []
    for index, read in enumerate(node.input):
        if (pair := _pair(graph, result, read, f"{name}/{index}")) is not None:
            before += pair
            node.input[index] = pair[-1].output[0]
    output = node.output[0]
    readers = [one for one in graph.readers.get(output, ()) if one.op_type not in _LAYERS]
    after = (_pair(graph, result, output, f"{name}/output") if readers else None) or []
    for reader in readers if after else ():
        reader.input[:] = [after[-1].output[0] if read == output else read for read in reader.input]
    for new in reversed(after):
        graph.model.graph.node.insert(place + 1, new)
    for new in reversed(before):
        graph.model.graph.node.insert(place, new)
    content: bytes = graph.model.SerializeToString()
    return content


def _pair(graph: Graph, result: Graph, tensor: str, prefix: str) -> list[Any] | None:
    """Return nodes that round a tensor as the int8 file does, None where that leaves it alone."""
    from onnx import helper

    found = next((n for n in result.readers.get(tensor, ()) if n.op_type == "QuantizeLinear"), None)
    if found is None or tensor in graph.constants:
        return None
    scale = graph.add(f"{prefix}/scale", result.array(found.input[1]))
    zero = graph.add(f"{prefix}/zero", result.array(found.input[2]))
    integer, back = f"{prefix}/integer", f"{prefix}/back"
    return [
        helper.make_node("QuantizeLinear", [tensor, scale, zero], [integer]),
        helper.make_node("DequantizeLinear", [integer, scale, zero], [back]),
    ]


def _again(batches: Iterable[Array]) -> Images:
    kept = list(batches)
    return lambda: iter(kept)
