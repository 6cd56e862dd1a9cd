"""Steps through rows and columns as pooling over single elements: ncnn crops, but only without steps."""

from typing import Any

import torch.nn.functional as f

from .onnx_torch.shapes import SHAPES
from .onnx_torch.values import ints


def pooled_slice(given: list[Any], attributes: dict[str, Any]) -> Any:
    """Return the slice of an ONNX node; each step over 1 through a whole row or column is a pool of one element."""
    value = given[0]
    if getattr(value, "ndim", 0) != 4 or len(given) < 5 or given[4] is None or not hasattr(value, "is_floating_point"):
        return SHAPES["Slice"](given, attributes)
    starts, ends, axes, steps = (ints(one) for one in given[1:5])
    strides = [1, 1]
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if axis % 4 < 2 or step < 1 or start != 0 or end < int(value.shape[axis]):
            return SHAPES["Slice"](given, attributes)
        strides[axis % 4 - 2] = step
    return value if strides == [1, 1] else f.max_pool2d(value, 1, strides)
