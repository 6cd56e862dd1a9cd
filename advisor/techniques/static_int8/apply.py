"""Static int8 in the QDQ form of ONNX: ranges from calibration images, weights and activations as integers."""

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from advisor.errors import NotApplicable
from advisor.techniques.subject import Change, Need, Stage, Subject

from .make import make
from .sensitivity import SCAN_IMAGES, chosen_by_sqnr, sensitivity
from .step import StaticInt8

STAGE: Stage = "onnx"
SCAN_SECONDS = 600.0  # after which the rest of the layers counts as harmless


def needs(step: StaticInt8) -> Need:
    """Tell which data the step cannot do without: images, labels are not looked at."""
    return "calibration"


def resolve(step: StaticInt8, subject: Subject) -> StaticInt8:
    """Measure which layers suffer most, and name those that are to stay float."""
    if step.float_layers or (not step.keep_float and step.target_sqnr is None):
        return step
    source, symmetric = _checked(subject)
    with tempfile.TemporaryDirectory(dir=subject.folder) as folder:
        ranking = sensitivity(
            source,
            lambda: _images(subject, min(step.calibration_images, SCAN_IMAGES)),
            step,
            symmetric=symmetric,
            folder=Path(folder),
            seconds=SCAN_SECONDS,
        )
    if step.target_sqnr is not None:
        with tempfile.TemporaryDirectory(dir=subject.folder) as folder:
            images = lambda: _images(subject, min(step.calibration_images, SCAN_IMAGES))  # noqa: E731
            return chosen_by_sqnr(step, source, images, ranking, Path(folder), symmetric=symmetric)
    count = math.ceil(step.keep_float * len(ranking.layers))
    return step.model_copy(update={"float_layers": ranking.worst(count)})


def apply(step: StaticInt8, subject: Subject) -> Change:
    """Fold and optimise, calibrate, insert quantize nodes, and write the file whole or not at all."""
    source, symmetric = _checked(subject)
    made = make(step, source, lambda: _images(subject, step.calibration_images), subject.folder, symmetric=symmetric)
    made.remove_traces()
    granularity = step.weights.replace("_", "-")
    done = f"quantized to int8 ({step.signedness}, {granularity}) on {made.images} images by {step.method}"
    done += "".join(f", {text}" for text in _said(step, made.details))
    if made.found.kept:
        done += f", {len(made.found.kept)} nodes stay float"
    return Change(
        done=done,
        onnx=made.target,
        details={
            "calibration_images": made.images,
            "float_nodes": list(made.found.kept),
            "symmetric_activations": made.found.symmetric,
            **made.details,
        },
    )


def _said(step: StaticInt8, details: dict[str, Any]) -> list[str]:
    said = ["scales are powers of two"] if step.power_of_two_scales else []
    if details.get("smoothed_norms"):
        said.append(f"smoothed behind {details['smoothed_norms']} norms")
    if "equalized_pairs" in details:
        said.append(f"equalized {details['equalized_pairs']} pairs of layers")
    if "corrected_biases" in details:
        said.append(f"corrected the biases of {details['corrected_biases']} layers")
    return said


def _checked(subject: Subject) -> tuple[Path, bool]:
    if subject.onnx is None:
        raise NotApplicable("static_int8 works on an ONNX file")
    if subject.calibration is None:
        raise NotApplicable("static_int8 needs calibration images")
    return subject.onnx, subject.symmetric


def _images(subject: Subject, count: int) -> Iterator[Any]:
    if subject.calibration is None:
        raise NotApplicable("static_int8 needs calibration images")
    return subject.calibration(count)
