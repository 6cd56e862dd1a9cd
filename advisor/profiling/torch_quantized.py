"""Quantized networks of torch: kernels packed out of sight, and dequantized values on their way to a layer."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from advisor.schema import OpKind, Storage

from .aten_attrs import conv_attrs, linear_attrs
from .building import Blank, Work, plain_dtype
from .costs import conv_kind, conv_macs, matmul_macs

_GRANULARITY = {"group": "group", "channel": "per_channel", "token": "per_channel"}
_VARIANTS = ("_dynamic", "_relu", "_out", "_scalar")  # of one operation in torch's `quantized` library


@dataclass(frozen=True)
class PackedLayer:
    """A layer whose kernel torch keeps in an object of C++: the work and the weights, named by the module's path."""

    work: Work
    blanks: tuple[Blank, ...]
    granularity: str


def quantized_name(base: str) -> str:
    """Return 'add' for 'add_relu' and its like."""
    for variant in _VARIANTS:
        base = base.removesuffix(variant)
    return base


def granularity(base: str) -> str:
    """Tell by the operator's name how many scales a weight has."""
    return next((found for part, found in _GRANULARITY.items() if part in base), "per_tensor")


def packed_layer(args: dict[str, Any], read: Tensor, made: Tensor, path: str) -> PackedLayer | None:
    """Return the layer of a call with a packed kernel among its arguments, None without one."""
    packed: Any = next((a for a in args.values() if isinstance(a, torch.ScriptObject)), None)
    if packed is None:
        return None
    weight, bias = _unpack(packed)
    if weight is None:
        return None
    shape, out, kernel = tuple(read.shape), tuple(made.shape), tuple(weight.shape)
    if len(kernel) == 2:
        fan_in, precision = linear_attrs(shape[-1], kernel[:1]), "int8" if weight.is_quantized else ""
        work = Work(OpKind.LINEAR, matmul_macs(shape, kernel[::-1], out), fan_in, path, precision)
    else:
        settings = {key: tuple(getattr(packed, key)()) for key in ("stride", "padding", "dilation")}
        attrs = conv_attrs({**settings, "groups": packed.groups()}, shape, kernel, out)
        kind = conv_kind(kernel, packed.groups(), shape[1], bool(packed.transpose()))
        work = Work(kind, conv_macs(shape, kernel, out, bool(packed.transpose())), attrs, path, "int8")
    stem = f"{path}." if path else ""
    blanks = [Blank(f"{stem}weight", kernel, storage=Storage(dtype=plain_dtype(str(weight.dtype))))]
    if bias is not None:
        blanks.append(Blank(f"{stem}bias", tuple(bias.shape)))
    by_channel = weight.is_quantized and weight.qscheme() != torch.per_tensor_affine
    scales = "per_channel" if by_channel else "per_tensor" if weight.is_quantized else "none"
    return PackedLayer(work, tuple(blanks), scales)


def _unpack(packed: Any) -> tuple[Tensor | None, Tensor | None]:
    try:
        weight, bias = packed.unpack()
    except (RuntimeError, AttributeError):  # recurrent cells and sparse kernels pack otherwise
        return None, None
    return weight, bias
