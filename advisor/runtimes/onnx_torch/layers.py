"""Operations with weights, pools, norms and activations."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as f

from .values import ints, scalar, tensor, text

Operator = Callable[[list[Any], dict[str, Any]], Any]


def _padding(attributes: dict[str, Any], size: tuple[int, ...], kernel: list[int], strides: list[int]) -> list[int]:
    """Return begin and end of every axis as ONNX orders them: all begins, then all ends."""
    auto = text(attributes.get("auto_pad"), "NOTSET")
    if auto in ("NOTSET", "VALID"):
        return list(attributes.get("pads", [0] * 2 * len(kernel))) if auto == "NOTSET" else [0] * 2 * len(kernel)
    dilations = attributes.get("dilations", [1] * len(kernel))
    begins, ends = [], []
    for n, k, s, d in zip(size, kernel, strides, dilations, strict=True):
        total = max(0, (-(-n // s) - 1) * s + d * (k - 1) + 1 - n)
        short, long = total // 2, total - total // 2
        begins.append(short if auto == "SAME_UPPER" else long)
        ends.append(long if auto == "SAME_UPPER" else short)
    return begins + ends


def _padded(value: torch.Tensor, pads: list[int], fill: float = 0.0) -> tuple[torch.Tensor, list[int]]:
    """Return the tensor and the symmetric padding that is left to the operation."""
    half = len(pads) // 2
    if pads[:half] == pads[half:]:
        return value, pads[:half]
    pairs = [pad for axis in reversed(range(half)) for pad in (pads[axis], pads[half + axis])]
    return f.pad(value, pairs, value=fill), [0] * half


def _conv(given: list[Any], attributes: dict[str, Any]) -> torch.Tensor:
    value, weight = given[0], tensor(given[1])
    bias = tensor(given[2]) if len(given) > 2 and given[2] is not None else None
    axes = weight.ndim - 2
    strides = list(attributes.get("strides", [1] * axes))
    pads = _padding(attributes, tuple(map(int, value.shape[2:])), list(weight.shape[2:]), strides)
    value, padding = _padded(value, pads)
    run = (f.conv1d, f.conv2d, f.conv3d)[axes - 1]
    return run(
        value, weight, bias, strides, padding, list(attributes.get("dilations", [1] * axes)), attributes.get("group", 1)
    )


def _conv_transpose(given: list[Any], attributes: dict[str, Any]) -> torch.Tensor:
    value, weight = given[0], tensor(given[1])
    bias = tensor(given[2]) if len(given) > 2 and given[2] is not None else None
    axes = weight.ndim - 2
    pads = list(attributes.get("pads", [0] * 2 * axes))
    if pads[:axes] != pads[axes:] or text(attributes.get("auto_pad"), "NOTSET") != "NOTSET":
        raise ValueError("a transposed convolution with uneven padding is not translated to torch")
    run = (f.conv_transpose1d, f.conv_transpose2d, f.conv_transpose3d)[axes - 1]
    strides, extra = list(attributes.get("strides", [1] * axes)), list(attributes.get("output_padding", [0] * axes))
    dilations = list(attributes.get("dilations", [1] * axes))
    return run(value, weight, bias, strides, pads[:axes], extra, attributes.get("group", 1), dilations)


def _gemm(given: list[Any], attributes: dict[str, Any]) -> torch.Tensor:
    left = given[0].t() if attributes.get("transA") else given[0]
    weight = tensor(given[1]) if attributes.get("transB") else tensor(given[1]).t()
    alpha, beta = attributes.get("alpha", 1.0), attributes.get("beta", 1.0)
    bias = tensor(given[2]) if len(given) > 2 and given[2] is not None else None
    if alpha == 1.0 and beta == 1.0 and (bias is None or bias.ndim == 1):
        return f.linear(left, weight, bias)
    product: torch.Tensor = alpha * (left @ weight.t())
    return product if bias is None else product + beta * bias


def _linear(given: list[Any], attributes: dict[str, Any]) -> torch.Tensor:
    return f.linear(given[0], given[1], tensor(given[2]) if len(given) > 2 else None)


def _matmul(given: list[Any], attributes: dict[str, Any]) -> torch.Tensor:
    return tensor(given[0]) @ tensor(given[1])


def _max_pool(given: list[Any], attributes: dict[str, Any]) -> torch.Tensor:
    value, kernel, strides, ceil = _pool(given, attributes)
    fill = torch.iinfo(value.dtype).min if not value.is_floating_point() else float("-inf")
    value, padding = _padded(value, _padding(attributes, tuple(map(int, value.shape[2:])), kernel, strides), fill)
    run = (f.max_pool1d, f.max_pool2d, f.max_pool3d)[len(kernel) - 1]
    return run(value, kernel, strides, padding, list(attributes.get("dilations", [1] * len(kernel))), ceil)


def _average_pool(given: list[Any], attributes: dict[str, Any]) -> torch.Tensor:
    value, kernel, strides, ceil = _pool(given, attributes)
    pads, counted = (
        _padding(attributes, tuple(map(int, value.shape[2:])), kernel, strides),
        bool(attributes.get("count_include_pad")),
    )
    if pads[: len(kernel)] != pads[len(kernel) :] and not counted:
        raise ValueError("an average pool with uneven padding is not translated to torch")
    value, padding = _padded(value, pads)
    run = (f.avg_pool1d, f.avg_pool2d, f.avg_pool3d)[len(kernel) - 1]
    return run(value, kernel, strides, padding, ceil, counted)


def _pool(given: list[Any], attributes: dict[str, Any]) -> tuple[torch.Tensor, list[int], list[int], bool]:
    kernel = list(attributes["kernel_shape"])
    return given[0], kernel, list(attributes.get("strides", [1] * len(kernel))), bool(attributes.get("ceil_mode"))


def _layer_norm(given: list[Any], attributes: dict[str, Any]) -> torch.Tensor:
    value, weight = given[0], tensor(given[1])
    axis = attributes.get("axis", -1) % value.ndim
    bias = tensor(given[2]) if len(given) > 2 and given[2] is not None else None
    return f.layer_norm(value, list(map(int, value.shape[axis:])), weight, bias, attributes.get("epsilon", 1e-5))


def _batch_norm(given: list[Any], attributes: dict[str, Any]) -> torch.Tensor:
    scale, bias, mean, variance = (tensor(one) for one in given[1:5])
    return f.batch_norm(given[0], mean, variance, scale, bias, training=False, eps=attributes.get("epsilon", 1e-5))


def _instance_norm(given: list[Any], attributes: dict[str, Any]) -> torch.Tensor:
    return f.instance_norm(
        given[0], weight=tensor(given[1]), bias=tensor(given[2]), eps=attributes.get("epsilon", 1e-5)
    )


def _group_norm(given: list[Any], attributes: dict[str, Any]) -> torch.Tensor:
    groups = attributes["num_groups"]
    return f.group_norm(given[0], groups, tensor(given[1]), tensor(given[2]), attributes.get("epsilon", 1e-5))


def _clip(given: list[Any], attributes: dict[str, Any]) -> torch.Tensor:
    low = scalar(given[1] if len(given) > 1 else None, attributes.get("min", float("-inf")))
    high = scalar(given[2] if len(given) > 2 else None, attributes.get("max", float("inf")))
    if low == 0 and high == 6:
        return f.relu6(given[0])
    return torch.clamp(given[0], None if low == float("-inf") else low, None if high == float("inf") else high)


def _prelu(given: list[Any], attributes: dict[str, Any]) -> torch.Tensor:
    slope = tensor(given[1])
    return torch.where(given[0] < 0, given[0] * slope, given[0])


def _gelu(given: list[Any], attributes: dict[str, Any]) -> torch.Tensor:
    return f.gelu(given[0], approximate=text(attributes.get("approximate"), "none"))


def _softmax(given: list[Any], attributes: dict[str, Any]) -> torch.Tensor:
    return torch.softmax(given[0], attributes.get("axis", -1))


def _hard_sigmoid(given: list[Any], attributes: dict[str, Any]) -> torch.Tensor:
    alpha, beta = attributes.get("alpha", 0.2), attributes.get("beta", 0.5)
    if abs(alpha - 1 / 6) < 1e-6 and beta == 0.5:
        return f.hardsigmoid(given[0])
    return torch.clamp(alpha * given[0] + beta, 0.0, 1.0)


def _resize(given: list[Any], attributes: dict[str, Any]) -> torch.Tensor:
    value = given[0]
    mode = text(attributes.get("mode"), "nearest")
    aligned = text(attributes.get("coordinate_transformation_mode"), "half_pixel") == "align_corners"
    if len(given) > 3 and np.size(given[3]):
        size = ints(given[3])[2:]
    else:
        factors = np.asarray(given[2]).reshape(-1)[2:]
        size = [int(int(n) * factor) for n, factor in zip(value.shape[2:], factors, strict=True)]
    if mode == "nearest":
        return f.interpolate(value, size, mode="nearest")
    return f.interpolate(value, size, mode={"linear": "bilinear", "cubic": "bicubic"}[mode], align_corners=aligned)


def _global(run: Callable[..., torch.Tensor]) -> Operator:
    return lambda given, attributes: run(given[0], list(range(2, given[0].ndim)), keepdim=True)


def _one(run: Callable[[Any], torch.Tensor]) -> Operator:
    return lambda given, attributes: run(given[0])


LAYERS: dict[str, Operator] = {
    "Conv": _conv, "ConvTranspose": _conv_transpose, "Gemm": _gemm, "Linear": _linear, "MatMul": _matmul,
    "MaxPool": _max_pool, "AveragePool": _average_pool,
    "GlobalAveragePool": _global(torch.mean), "GlobalMaxPool": _global(torch.amax),
    "LayerNormalization": _layer_norm, "BatchNormalization": _batch_norm, "InstanceNormalization": _instance_norm,
    "GroupNormalization": _group_norm, "Clip": _clip, "PRelu": _prelu, "Gelu": _gelu, "Softmax": _softmax,
    "HardSigmoid": _hard_sigmoid, "Resize": _resize,
    "Relu": _one(f.relu), "Sigmoid": _one(torch.sigmoid), "HardSwish": _one(f.hardswish), "Tanh": _one(torch.tanh),
    "Erf": _one(torch.erf), "Mish": _one(f.mish), "Softplus": _one(f.softplus), "Swish": _one(f.silu),
    "LeakyRelu": lambda given, attributes: f.leaky_relu(given[0], attributes.get("alpha", 0.01)),
    "Elu": lambda given, attributes: f.elu(given[0], attributes.get("alpha", 1.0)),
    "Dropout": lambda given, attributes: given[0],
}  # fmt: skip
