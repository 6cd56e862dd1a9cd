"""Making the int8 file: prepare, calibrate, write, correct."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import correct as correction
from .calibrate import calibrate
from .graph import Graph
from .observe import tensors
from .prepare import Images, prepare
from .scope import float_nodes
from .step import StaticInt8
from .write import Found, write

TARGET = "static_int8.onnx"


@dataclass(frozen=True)
class Made:
    """The int8 file, the float graph that it was made from, and how."""

    target: Path
    prepared: Path
    found: Found
    images: int
    details: dict[str, Any]

    def remove_traces(self) -> None:
        """Delete everything but the int8 file."""
        self.prepared.unlink(missing_ok=True)
        if self.found.ranges is not None:
            self.found.ranges.unlink(missing_ok=True)


def make(step: StaticInt8, source: Path, images: Images, folder: Path, *, symmetric: bool) -> Made:
    """Quantize a float file; `symmetric` says whether the target needs activations around zero."""
    prepared, graph, details = prepare(step, source, images, folder)
    around_zero = wants_symmetric(step, symmetric)
    kept = float_nodes(graph, step)
    seen, ranges = calibrate(prepared, images(), step.method, folder, symmetric=around_zero)
    found = Found(ranges, tuple(sorted(kept)), around_zero)
    target = folder / TARGET
    write(step, prepared, target, found)
    if step.bias_correction:
        details["corrected_biases"] = _corrected(prepared, target, images)
    return Made(target, prepared, found, seen, details)


def wants_symmetric(step: StaticInt8, path_wants: bool) -> bool:
    """Whether activations get ranges around zero."""
    if step.power_of_two_scales:
        return True
    return path_wants if step.activations == "as the path asks" else step.activations == "symmetric"


def _corrected(prepared: Path, target: Path, images: Images) -> int:
    graph = Graph.read(prepared)
    names = [layer.node.input[0] for layer in correction.correctable(graph)]
    return correction.correct(graph, target, correction.mean_by_channel(tensors(graph, names, images())))
