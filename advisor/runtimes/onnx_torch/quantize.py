"""Quantize and dequantize nodes as the operators that torch's compilers look for; activations become signed."""

from typing import Any

import numpy as np
import torch
from torch.ao.quantization.fx import _decomposed  # noqa: F401  (registers torch.ops.quantized_decomposed)

from .dequantized import SIGNED
from .values import tensor

_RANGES = {torch.int8: (-128, 127), torch.int16: (-32768, 32767)}


def _quantize(given: list[Any], attributes: dict[str, Any]) -> Any:
    """Write a float tensor in signed whole numbers; unsigned bytes are moved down by 128, which changes no value."""
    value, scale, zero = given[0], given[1], given[2] if len(given) > 2 else None
    if np.size(scale) != 1:  # of a weight
        axis, low, high = attributes.get("axis", 1) % value.ndim, *_RANGES[torch.int8]
        rows = (tensor(scale), tensor(zero), axis, low, high, torch.int8)
        return torch.ops.quantized_decomposed.quantize_per_channel(value, *rows)
    kind = torch.int16 if zero is not None and zero.dtype == np.int16 else torch.int8
    offset = _whole(zero)
    return torch.ops.quantized_decomposed.quantize_per_tensor(value, _number(scale), offset, *_RANGES[kind], kind)


def _dequantize(given: list[Any], attributes: dict[str, Any]) -> Any:
    value, scale, zero = given[0], given[1], given[2] if len(given) > 2 else None
    kind = value.dtype
    if np.size(scale) == 1:
        offset = _whole(zero)
        return torch.ops.quantized_decomposed.dequantize_per_tensor(value, _number(scale), offset, *_RANGES[kind], kind)
    axis = attributes.get("axis", 1) % value.ndim
    zeros, scales = tensor(zero), tensor(scale)
    return torch.ops.quantized_decomposed.dequantize_per_channel(value, scales, zeros, axis, *_RANGES[kind], kind)


def _number(scale: Any) -> float:
    return float(np.reshape(scale, -1)[0])


def _whole(zero: Any) -> int:
    """Return the zero point of signed numbers; what has none counts from unsigned zero."""
    if zero is None:
        return -SIGNED
    return int(np.reshape(zero, -1)[0]) - (SIGNED if zero.dtype == np.uint8 else 0)


QUANTIZED = {"QuantizeLinear": _quantize, "DequantizeLinear": _dequantize}
