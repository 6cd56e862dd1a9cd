"""Converting an ONNX file to 16-bit floats; inputs and outputs stay fp32, so that the application need not change."""

import os
from typing import Any

from advisor.errors import NotApplicable
from advisor.techniques.subject import Change, Need, Stage, Subject

from .step import Half

STAGE: Stage = "onnx"


def needs(step: Half) -> Need:
    """Tell which data the step cannot do without: none."""
    return "nothing"


def apply(step: Half, subject: Subject) -> Change:
    """Write weights and arithmetic as fp16, or weights as bf16."""
    if subject.onnx is None:
        raise NotApplicable("half works on an ONNX file")
    import onnx

    model: Any = onnx.load(subject.onnx)
    model, done, details = _fp16(model) if step.dtype == "fp16" else _bf16(model)
    target = subject.folder / "half.onnx"
    partial = target.with_suffix(".partial")
    onnx.save(model, partial)
    os.replace(partial, target)
    return Change(done=done, onnx=target, details=details)


def _fp16(model: Any) -> tuple[Any, str, dict[str, Any]]:
    """Convert weights and arithmetic; the CPU of this machine emulates it with casts to fp32."""
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    model = onnx.shape_inference.infer_shapes(model)
    overflowing = _too_large(model)
    converted = convert_float_to_float16(model, keep_io_types=True)
    done = "converted weights and arithmetic to fp16, inputs and outputs stay fp32"
    if overflowing:
        done += f"; {overflowing} weights exceed 65504 and were clipped"
    return converted, done, {"clipped_weights": overflowing}


def _bf16(model: Any) -> tuple[Any, str, dict[str, Any]]:
    from .bfloat16 import store

    stored = store(model)
    if not stored:
        raise NotApplicable("half finds no float weights in this file")
    done = f"stored {stored} weights in bf16; onnxruntime casts them to fp32, in which the CPU computes"
    return model, done, {"stored_weights": stored}


def _too_large(model: Any) -> int:
    """Count weights beyond the largest fp16 number."""
    import numpy as np
    from onnx import numpy_helper

    arrays = (numpy_helper.to_array(w) for w in model.graph.initializer if w.data_type == 1)
    return int(sum(np.count_nonzero(np.abs(array) > 65504) for array in arrays))
