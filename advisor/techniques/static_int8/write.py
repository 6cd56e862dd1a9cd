"""Writing the QDQ file with onnxruntime's quantizer, whole or not at all."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advisor.techniques.refusing import refusing

from . import powers
from .calibrate import METHODS
from .graph import Graph
from .step import StaticInt8

REMEDY = "Choose another technique; dynamic int8 or half precision leave more of the graph alone."
_TYPES = {"u": "QUInt8", "s": "QInt8"}


@dataclass(frozen=True)
class Found:
    """What is known before the file is written: ranges, nodes in float, and whether ranges lie around zero."""

    ranges: Path | None
    kept: tuple[str, ...]
    symmetric: bool


def write(step: StaticInt8, prepared: Path, target: Path, found: Found) -> None:
    """Quantize `prepared` into `target`; refuse graphs that onnxruntime cannot quantize."""
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    activation, weight = step.signedness[0], step.signedness[2]
    partial = target.with_suffix(".partial")
    try:
        with refusing("onnxruntime cannot quantize this graph", REMEDY):
            quantize_static(
                prepared,
                partial,
                None,
                quant_format=QuantFormat.QDQ,
                per_channel=step.weights == "per_channel",
                reduce_range=step.reduce_range,
                activation_type=getattr(QuantType, _TYPES[activation]),
                weight_type=getattr(QuantType, _TYPES[weight]),
                nodes_to_exclude=list(found.kept),
                calibrate_method=getattr(CalibrationMethod, METHODS["minmax" if step.method == "mse" else step.method]),
                calibration_cache_path=found.ranges,
                extra_options=_options(step, prepared, found),
            )
            _shield(partial, found.kept)
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def _shield(path: Path, kept: tuple[str, ...]) -> None:
    """Keep layers in float at run time too, by an operation that does nothing between them and their inputs.

    onnxruntime rounds float weights to 8 bits per tensor where a Conv or Gemm reads a dequantized tensor directly
    (its graph transformer WeightBiasQuantization), and so undoes what a file says.
    """
    from onnx import helper

    graph, names = Graph.read(path), frozenset(kept)
    layers = [layer.node for layer in graph.layers() if layer.node.name in names and layer.node.op_type != "MatMul"]
    read = [node for node in layers if getattr(graph.maker.get(node.input[0]), "op_type", "") == "DequantizeLinear"]
    for node in read:
        same = f"{node.name}/input"
        place = next(i for i, other in enumerate(graph.model.graph.node) if other is node)
        graph.model.graph.node.insert(
            place, helper.make_node("Clip", [node.input[0]], [same], name=f"{node.name}/keep")
        )
        graph.model.graph.node[place + 1].input[0] = same
    if read:
        graph.save(path)


def _options(step: StaticInt8, prepared: Path, found: Found) -> dict[str, Any]:
    options: dict[str, Any] = {
        "ActivationSymmetric": found.symmetric,
        "WeightSymmetric": step.signedness[2] == "s" or step.power_of_two_scales,
    }
    if step.power_of_two_scales and found.ranges is not None:
        from onnxruntime.quantization.calibrate import load_tensors_data

        known = load_tensors_data(found.ranges)
        options["TensorQuantOverrides"] = powers.overrides(Graph.read(prepared), known, step, found.kept)
        options["QDQDisableWeightAdjustForInt32Bias"] = True  # the adjusted scale is no power of two
    return options
