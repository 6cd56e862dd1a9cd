"""What a TorchScript program works on beside tensors: modules, objects, named tuples and packed quantized kernels."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from advisor.errors import ModelLoadError

_FIELD = re.compile(r"[A-Za-z0-9_]{1,200}", re.ASCII)


class ScriptModule(nn.Module):
    """A module of a script: parameters, buffers and children as in torch, everything else in `values`."""

    def __init__(self, script_type: str) -> None:
        """Take the full name of its TorchScript class."""
        super().__init__()
        self.script_type = script_type
        self.values: dict[str, Any] = {}
        self.numbers: dict[str, float | int] = {}  # of buffers with one element: scales and zero points

    def put(self, name: str, value: Any) -> None:
        """Set an attribute."""
        if not _FIELD.fullmatch(name):
            raise ModelLoadError("the script holds a name that is not one", where=repr(name)[:80])
        for place in (self.values, self._parameters, self._buffers, self._modules):
            place.pop(name, None)
        if isinstance(value, nn.Parameter):
            self._parameters[name] = value
        elif isinstance(value, Tensor):
            self._buffers[name] = value
            if value.numel() == 1 and not value.is_complex():
                self.numbers[name] = value.item()
        elif isinstance(value, nn.Module):
            self._modules[name] = value
        else:
            self.values[name] = value

    def get(self, name: str) -> Any:
        """Return an attribute; KeyError without it."""
        for place in (self.values, self._parameters, self._buffers, self._modules):
            if name in place:
                return place[name]
        raise KeyError(name)


@dataclass(eq=False)
class ScriptObject:
    """An object of a class that is no module."""

    script_type: str
    values: dict[str, Any] = field(default_factory=dict)


class ScriptTuple(tuple[Any, ...]):
    """A named tuple of a script."""

    names: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Quantized:
    """A quantized tensor: integers with one scale and zero point, or one per slice along `axis`."""

    values: Tensor
    scale: Any
    zero_point: Any
    axis: int | None = None


class PackedWeight(nn.Module):
    """The kernel and bias of a quantized layer; `settings` are those of its convolution, None for a linear layer."""

    weight: Tensor
    bias: Tensor | None
    weight_scale: Tensor
    weight_zero_point: Tensor

    def __init__(self, weight: Quantized, bias: Tensor | None, settings: dict[str, Any] | None) -> None:
        """Take integers with their scales, and the bias in floating point."""
        super().__init__()
        count = weight.values.shape[weight.axis] if weight.axis is not None else 1
        scale = torch.as_tensor(weight.scale, dtype=torch.float32).reshape(-1)
        zero_point = torch.as_tensor(weight.zero_point, dtype=torch.int64).reshape(-1)
        if scale.numel() != count or zero_point.numel() != count:
            raise ModelLoadError("the script holds a quantized kernel with scales that do not fit it")
        self.weight = nn.Parameter(weight.values, requires_grad=False)
        self.bias = None if bias is None else nn.Parameter(bias.detach(), requires_grad=False)
        if weight.axis is not None:
            self.register_buffer("weight_scale", scale)
            self.register_buffer("weight_zero_point", zero_point)
        self.axis, self.settings = weight.axis, settings
        self.scale_value, self.zero_point_value = float(scale[0]), int(zero_point[0])

    def unpacked(self) -> tuple[Quantized, Tensor | None]:
        """Return kernel and bias as they were packed."""
        if self.axis is None:
            return Quantized(self.weight, self.scale_value, self.zero_point_value), self.bias
        return Quantized(self.weight, self.weight_scale, self.weight_zero_point, self.axis), self.bias


def numbers_in(values: Sequence[Any]) -> bool:
    """Tell whether no tensor is among the values or in lists among them."""
    return not any(
        isinstance(v, Tensor | Quantized) or (isinstance(v, list | tuple) and not numbers_in(v)) for v in values
    )
