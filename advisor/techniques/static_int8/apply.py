"""Static int8 in the QDQ form of ONNX: ranges from calibration images, weights and activations as integers."""

import os
from pathlib import Path
from typing import Any

from advisor.errors import NotApplicable
from advisor.techniques.subject import Change, Need, Stage, Subject

from .calibrate import calibrate
from .scope import float_nodes
from .step import StaticInt8

STAGE: Stage = "onnx"
_TYPES = {"u": "QUInt8", "s": "QInt8"}


def needs(step: StaticInt8) -> Need:
    """Tell which data the step cannot do without: images, labels are not looked at. Refuse scales not written here."""
    if step.power_of_two_scales:
        raise NotApplicable(
            "static_int8 with power-of-two scales is written by the target's own compiler only",
            remedy="Take the float ONNX file and the target's compiler, or a plan without this setting.",
        )
    return "calibration"


def apply(step: StaticInt8, subject: Subject) -> Change:
    """Fold and optimise, calibrate, insert quantize nodes, and write the file whole or not at all."""
    if subject.onnx is None:
        raise NotApplicable("static_int8 works on an ONNX file")
    if subject.calibration is None:
        raise NotApplicable("static_int8 needs calibration images")
    prepared = prepare(subject.onnx, subject.folder)
    kept = float_nodes(prepared, step.float_kinds)
    seen, ranges = calibrate(prepared, subject.calibration(step.calibration_images), step.method, subject.folder)
    target = subject.folder / "static_int8.onnx"
    symmetric = bool(subject.path and subject.path.restrictions.activation_symmetric)
    _quantize(step, prepared, target, {"ranges": ranges, "kept": sorted(kept), "symmetric": symmetric})
    prepared.unlink()
    ranges.unlink()
    done = f"quantized to int8 ({step.signedness}, {step.weights.replace('_', '-')}) on {seen} images by {step.method}"
    if kept:
        done += f", {len(kept)} nodes stay float"
    return Change(
        done=done,
        onnx=target,
        details={"calibration_images": seen, "float_nodes": sorted(kept), "symmetric_activations": symmetric},
    )


def prepare(source: Path, folder: Path) -> Path:
    """Fold constants and batch norms as onnxruntime would, so that quantize nodes sit where its kernels expect them."""
    import onnx
    from onnxruntime.quantization.shape_inference import quant_pre_process

    target = folder / "prepared.onnx"
    quant_pre_process(source, target, skip_symbolic_shape=True)
    model = onnx.load(target)
    for index, node in enumerate(model.graph.node):  # nodes are excluded from quantization by name
        node.name = node.name or f"node_{index}"
    onnx.save(model, target)
    return target


def _quantize(step: StaticInt8, prepared: Path, target: Path, found: dict[str, Any]) -> None:
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    activation, weight = step.signedness[0], step.signedness[2]
    partial = target.with_suffix(".partial")
    try:
        quantize_static(
            prepared,
            partial,
            None,
            quant_format=QuantFormat.QDQ,
            per_channel=step.weights == "per_channel",
            reduce_range=step.reduce_range,
            activation_type=getattr(QuantType, _TYPES[activation]),
            weight_type=getattr(QuantType, _TYPES[weight]),
            nodes_to_exclude=found["kept"],
            calibrate_method=_method(step.method),
            calibration_cache_path=found["ranges"],
            extra_options={"ActivationSymmetric": found["symmetric"], "WeightSymmetric": weight == "s"},
        )
    except (ValueError, RuntimeError, NotImplementedError, IndexError, KeyError) as error:
        partial.unlink(missing_ok=True)
        what = next(iter(str(error).splitlines()), type(error).__name__)
        raise NotApplicable(
            f"onnxruntime cannot quantize this graph: {what}",
            remedy="Choose another technique; dynamic int8 or half precision leave more of the graph alone.",
        ) from error
    os.replace(partial, target)


def _method(name: str) -> Any:
    from onnxruntime.quantization import CalibrationMethod

    methods = {"minmax": "MinMax", "percentile": "Percentile", "entropy": "Entropy"}
    return getattr(CalibrationMethod, methods[name])
