"""Quantized operators of TorchScript, spelt out: integers, dequantize, the operator in floating point, quantize.

That is the same arithmetic up to rounding (one step of the output's scale), it runs everywhere, and exporters write it
as quantize and dequantize nodes.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from advisor.errors import ModelLoadError

from .operators import operator, refusal
from .script_values import PackedWeight, Quantized

_RANGE = {torch.int8: (-128, 127), torch.uint8: (0, 255), torch.int32: (-(2**31), 2**31 - 1)}
_STORED = {12: torch.int8, 13: torch.uint8, 14: torch.int32}  # TorchScript's numbers of qint8, quint8, qint32
_EIGHT_BITS = {torch.int8: torch.int8, torch.uint8: torch.uint8}
# Operators that leave values as they are: done on the integers.
_KEEPING = """
flatten view reshape permute transpose squeeze unsqueeze slice select chunk split split_with_sizes unbind contiguous
clone detach expand narrow unflatten channel_shuffle
"""
_SHAPING = frozenset(_KEEPING.split())
# Operators whose quantized results have a scale of their own (ATen/native/quantized): values of 0..1 or -1..1.
_FIXED_SCALES = {"sigmoid": (1 / 256, 0), "hardsigmoid": (1 / 256, 0), "tanh": (2 / 256, 128)}


def on_quantized(namespace: str, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    """Do a call that has quantized values among its arguments or makes them."""
    if namespace == "quantized":
        if name not in _QUANTIZED:
            raise refusal(f"quantized::{name}")
        return _QUANTIZED[name](*arguments, **named)
    if name == "quantize_per_tensor":
        values, scale, zero_point, number = arguments
        return quantize(values, scale, zero_point, _STORED[number])
    if name == "dequantize":
        return dequantize(arguments[0])
    first = next(v for a in arguments for v in (a if isinstance(a, list | tuple) else (a,)) if isinstance(v, Quantized))
    if name in _ABOUT:
        return _ABOUT[name](*arguments)
    if name in _SHAPING:
        result = operator(namespace, name)(first.values, *arguments[1:], **named)
        rewrap = [Quantized(v, first.scale, first.zero_point) for v in _listed(result)]
        return rewrap if isinstance(result, list | tuple) else rewrap[0]
    result = operator(namespace, name)(*(dequantize(a) for a in arguments), **named)
    if not (isinstance(result, Tensor) and result.is_floating_point()):
        return result
    scale, zero_point = _FIXED_SCALES.get(name.rstrip("_"), (first.scale, first.zero_point))
    return quantize(result, scale, zero_point, first.values.dtype)


def quantize(values: Tensor, scale: Any, zero_point: Any, dtype: torch.dtype) -> Quantized:
    """Return the values as integers of one scale."""
    quantizer = operator("quantized_decomposed", "quantize_per_tensor", "default")
    scale, zero_point = float(scale), int(zero_point)
    return Quantized(quantizer(values, scale, zero_point, *_RANGE[dtype], dtype), scale, zero_point)


def dequantize(value: Any) -> Any:
    """Return the values in floating point; other values as they are."""
    if isinstance(value, list | tuple):
        return [dequantize(v) for v in value]
    if not isinstance(value, Quantized):
        return value
    if value.axis is not None:
        raise ModelLoadError("the script computes with a tensor that has one scale per channel, which is not followed")
    back = operator("quantized_decomposed", "dequantize_per_tensor", "default")
    integers = value.values
    return back(integers, float(value.scale), int(value.zero_point), *_RANGE[integers.dtype], integers.dtype)


def _kernel(packed: PackedWeight) -> Tensor:
    """Return the kernel of a quantized layer in floating point."""
    kernel = packed.weight
    if packed.axis is None:
        back = operator("quantized_decomposed", "dequantize_per_tensor", "default")
        return back(kernel, packed.scale_value, packed.zero_point_value, *_RANGE[kernel.dtype], kernel.dtype)  # type: ignore[no-any-return]
    back = operator("quantized_decomposed", "dequantize_per_channel", "default")
    scales, zeros = packed.weight_scale, packed.weight_zero_point
    return back(kernel, scales, zeros, packed.axis, *_RANGE[kernel.dtype], kernel.dtype)  # type: ignore[no-any-return]


def _convolution(relu: bool) -> Callable[..., Any]:
    def run(x: Quantized, packed: PackedWeight, scale: Any, zero_point: Any) -> Quantized:
        settings = dict(packed.settings or {})
        spatial = packed.weight.dim() - 2
        convolve = operator("aten", f"conv{spatial}d", "default")
        y = convolve(dequantize(x), _kernel(packed), packed.bias, **settings)
        return _closed(y, relu, scale, zero_point, x)

    return run


def _linear(relu: bool) -> Callable[..., Any]:
    def run(x: Quantized, packed: PackedWeight, scale: Any, zero_point: Any) -> Quantized:
        y = operator("aten", "linear", "default")(dequantize(x), _kernel(packed), packed.bias)
        return _closed(y, relu, scale, zero_point, x)

    return run


def _linear_dynamic(relu: bool) -> Callable[..., Any]:
    def run(x: Tensor, packed: PackedWeight, reduce_range: bool = True) -> Tensor:
        """Quantize the input by its own range first; `reduce_range` saves a bit for old processors."""
        family = "quantized_decomposed"
        low, high, dtype = 0, 127 if reduce_range else 255, torch.uint8
        smallest = torch.finfo(torch.float32).eps
        scale, zero = operator(family, "choose_qparams", "tensor")(x, low, high, smallest, dtype)
        integers = operator(family, "quantize_per_tensor", "tensor")(x, scale, zero, low, high, dtype)
        back = operator(family, "dequantize_per_tensor", "tensor")(integers, scale, zero, low, high, dtype)
        y: Tensor = operator("aten", "linear", "default")(back, _kernel(packed), packed.bias)
        return torch.relu(y) if relu else y

    return run


def _combined(name: str, relu: bool) -> Callable[..., Any]:
    def run(left: Any, right: Any, scale: Any, zero_point: Any) -> Quantized:
        y = operator("aten", name)(dequantize(left), dequantize(right))
        return _closed(y, relu, scale, zero_point, left)

    return run


def _single(name: str) -> Callable[..., Any]:
    def run(x: Quantized, *rest: Any) -> Quantized:
        *settings, scale, zero_point = rest
        return _closed(operator("aten", name)(dequantize(x), *settings), False, scale, zero_point, x)

    return run


def _cat(values: list[Quantized], axis: int, scale: Any = None, zero_point: Any = None) -> Quantized:
    first = values[0]
    y = operator("aten", "cat", "default")(dequantize(values), axis)
    chosen = (first.scale, first.zero_point) if scale is None else (scale, zero_point)
    return _closed(y, False, *chosen, first)


def _batch_norm(x: Quantized, w: Any, b: Any, mean: Any, var: Any, eps: float, scale: Any, zero: Any) -> Quantized:
    y = operator("aten", "batch_norm")(dequantize(x), w, b, mean, var, False, 0.1, eps, False)
    return _closed(y, False, scale, zero, x)


def _closed(y: Tensor, relu: bool, scale: Any, zero_point: Any, like: Quantized) -> Quantized:
    return quantize(torch.relu(y) if relu else y, scale, zero_point, _EIGHT_BITS.get(like.values.dtype, torch.uint8))


def _pack_convolution(weight: Quantized, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int) -> Any:
    settings = {"stride": list(stride), "padding": list(padding), "dilation": list(dilation), "groups": int(groups)}
    return PackedWeight(weight, bias, settings)


def _pack_linear(weight: Quantized, bias: Any = None) -> PackedWeight:
    return PackedWeight(weight, bias, None)


def _integers(value: Any) -> Any:
    return value.values if isinstance(value, Quantized) else value


def _listed(result: Any) -> list[Tensor]:
    return list(result) if isinstance(result, list | tuple) else [result]


_ABOUT: dict[str, Callable[..., Any]] = {
    "size": lambda q, axis=None: list(q.values.shape) if axis is None else q.values.shape[axis],
    "dim": lambda q: q.values.dim(), "numel": lambda q: q.values.numel(), "len": lambda of: len(_integers(of)),
    "__is__": lambda left, right: left is right, "__isnot__": lambda left, right: left is not right,
    "q_scale": lambda q: q.scale, "q_zero_point": lambda q: q.zero_point,
    "append": list.append, "extend": list.extend, "insert": list.insert,
}  # fmt: skip
_QUANTIZED: dict[str, Callable[..., Any]] = {
    "conv1d_prepack": _pack_convolution, "conv2d_prepack": _pack_convolution, "conv3d_prepack": _pack_convolution,
    "conv1d": _convolution(False), "conv1d_relu": _convolution(True),
    "conv2d": _convolution(False), "conv2d_relu": _convolution(True),
    "conv3d": _convolution(False), "conv3d_relu": _convolution(True),
    "linear_prepack": _pack_linear, "linear": _linear(False), "linear_relu": _linear(True),
    "linear_dynamic": _linear_dynamic(False), "linear_relu_dynamic": _linear_dynamic(True),
    "linear_unpack": lambda packed: packed.unpacked(),
    "add": _combined("add", False), "add_relu": _combined("add", True),
    "mul": _combined("mul", False), "mul_relu": _combined("mul", True), "matmul": _combined("matmul", False),
    "cat": _cat, "batch_norm2d": _batch_norm,
    "hardswish": _single("hardswish"), "leaky_relu": lambda x, slope, _, s, z: _single("leaky_relu")(x, slope, s, z),
}  # fmt: skip
