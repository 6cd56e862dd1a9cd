"""Static int8 from weak to strong: better ranges before layers are given up, then the most sensitive ones in float."""

import math
import tempfile
from pathlib import Path

from advisor.techniques.static_int8.step import StaticInt8
from advisor.techniques.subject import Subject

SHARES = (0.05, 0.1, 0.2, 0.4)  # of the layers, the most sensitive ones first
SCAN_SECONDS = 120.0  # for the ranking; layers that it does not reach count as less sensitive


def dial(step: StaticInt8) -> tuple[StaticInt8, ...]:
    """Return other ways to find the ranges, then the step as it is."""
    clipped = step.model_copy(update={"method": "percentile"})
    return tuple(dict.fromkeys((_corrected(step), clipped, step)))


def mixed(step: StaticInt8, subject: Subject) -> tuple[StaticInt8, ...]:
    """Return the step with more and more layers in float, from a ranking that is measured once."""
    from advisor.techniques.static_int8.sensitivity import SCAN_IMAGES, sensitivity

    if subject.onnx is None or subject.calibration is None:
        return ()
    batches, step = subject.calibration, _corrected(step)
    with tempfile.TemporaryDirectory(dir=subject.folder) as folder:
        ranking = sensitivity(
            subject.onnx,
            lambda: batches(SCAN_IMAGES),
            step,
            symmetric=subject.symmetric,
            folder=Path(folder),
            seconds=SCAN_SECONDS,
        )
    counts = dict.fromkeys(math.ceil(share * len(ranking.layers)) for share in SHARES)
    return tuple(step.model_copy(update={"float_layers": ranking.worst(count)}) for count in counts if count)


def _corrected(step: StaticInt8) -> StaticInt8:
    return step.model_copy(update={"method": "mse", "bias_correction": True})
