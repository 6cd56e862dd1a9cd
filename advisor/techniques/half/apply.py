"""Converting an ONNX file to 16-bit floats; inputs and outputs stay fp32, so that the application need not change."""

import os
from typing import Any

from advisor.errors import NotApplicable
from advisor.techniques.subject import Change, Need, Stage, Subject

from .step import Half

STAGE: Stage = "onnx"


def needs(step: Half) -> Need:
    """Tell which data the step cannot do without: none. Refuse a type that no file holds."""
    if step.dtype != "fp16":
        raise NotApplicable(f"half: {step.dtype} files cannot be written", remedy="Choose fp16.")
    return "nothing"


def apply(step: Half, subject: Subject) -> Change:
    """Write weights and arithmetic as fp16; the CPU of this machine emulates it with casts to fp32."""
    if subject.onnx is None:
        raise NotApplicable("half works on an ONNX file")
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    model: Any = onnx.shape_inference.infer_shapes(onnx.load(subject.onnx))
    overflowing = _too_large(model)
    converted = convert_float_to_float16(model, keep_io_types=True)
    target = subject.folder / "half.onnx"
    partial = target.with_suffix(".partial")
    onnx.save(converted, partial)
    os.replace(partial, target)
    done = "converted weights and arithmetic to fp16, inputs and outputs stay fp32"
    if overflowing:
        done += f"; {overflowing} weights exceed 65504 and were clipped"
    return Change(done=done, onnx=target, details={"clipped_weights": overflowing})


def _too_large(model: Any) -> int:
    """Count weights beyond the largest fp16 number."""
    import numpy as np
    from onnx import numpy_helper

    arrays = (numpy_helper.to_array(w) for w in model.graph.initializer if w.data_type == 1)
    return int(sum(np.count_nonzero(np.abs(array) > 65504) for array in arrays))
