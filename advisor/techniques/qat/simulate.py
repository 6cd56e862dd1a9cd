"""Rounding weights and layer inputs to int8 during training, so that the network learns to live with it.

Weights are rounded as the quantizer will do it, per output channel or as a whole; inputs of layers within a range that
follows the training images. Gradients pass the rounding unchanged (straight-through, Bengio 2013; Jacob 2018). Per
channel it makes no difference whether a batch norm is folded first: its factor scales the channel and its grid alike.
Sums and products of activations are left in float here, although runtimes round some of them.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

_FOLLOW = 0.05  # share of a batch's range in the running one
_LEAST = 1e-8  # scales below it would divide by nothing
_INPUT = "input_rounding"
Layer = nn.Conv1d | nn.Conv2d | nn.Linear


class WeightRounding(nn.Module):
    """Round a kernel to signed 8 bits around zero."""

    def __init__(self, per_channel: bool, bits: int = 8) -> None:
        """State the granularity."""
        super().__init__()
        self.per_channel, self.limit = per_channel, 2 ** (bits - 1) - 1

    def forward(self, kernel: Tensor) -> Tensor:
        """Return the kernel on its grid."""
        size = kernel.detach().abs()
        if not self.per_channel:
            scale = (size.max() / self.limit).clamp_min(_LEAST)
            return torch.fake_quantize_per_tensor_affine(
                kernel, scale, torch.zeros((), dtype=torch.int32), -self.limit, self.limit
            )
        scales = (size.flatten(1).amax(1) / self.limit).clamp_min(_LEAST)
        zeros = torch.zeros(len(scales), dtype=torch.int32)
        return torch.fake_quantize_per_channel_affine(kernel, scales, zeros, 0, -self.limit, self.limit)


class InputRounding(nn.Module):
    """Round activations to 8 bits within a range that follows the training batches."""

    low: Tensor
    high: Tensor
    batches: Tensor

    def __init__(self, symmetric: bool) -> None:
        """Start without a range; the first batch sets it."""
        super().__init__()
        self.symmetric = symmetric
        for name in ("low", "high", "batches"):
            self.register_buffer(name, torch.zeros(()))

    def forward(self, values: Tensor) -> Tensor:
        """Return the activations on their grid."""
        if self.training or not self.batches:
            self._follow(values.detach())
        if self.symmetric:
            scale = (torch.maximum(-self.low, self.high) / 127).clamp_min(_LEAST)
            return torch.fake_quantize_per_tensor_affine(values, scale, torch.zeros((), dtype=torch.int32), -128, 127)
        scale = ((self.high - self.low) / 255).clamp_min(_LEAST)
        zero = (-self.low / scale).round().clamp(0, 255).to(torch.int32)
        return torch.fake_quantize_per_tensor_affine(values, scale, zero, 0, 255)

    def _follow(self, values: Tensor) -> None:
        low, high = values.min().clamp_max(0), values.max().clamp_min(0)
        share = _FOLLOW if self.batches else 1.0
        self.low += share * (low - self.low)
        self.high += share * (high - self.high)
        self.batches += 1


def simulate(module: nn.Module, *, per_channel: bool, symmetric: bool) -> int:
    """Make every convolution and linear layer of `module` round its weights and inputs; return how many do."""
    layers = [part for part in module.modules() if isinstance(part, Layer) and isinstance(part.weight, nn.Parameter)]
    for layer in layers:
        layer.add_module(_INPUT, InputRounding(symmetric))
        layer.register_forward_pre_hook(_round_inputs)
        parametrize.register_parametrization(layer, "weight", WeightRounding(per_channel))
    return len(layers)


def restore(module: nn.Module) -> None:
    """Undo `simulate` and keep the trained weights, not rounded."""
    for layer in module.modules():
        if isinstance(layer, Layer) and hasattr(layer, _INPUT):
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)
            delattr(layer, _INPUT)
            hooks: dict[int, Any] = layer._forward_pre_hooks
            for key in [key for key, hook in hooks.items() if hook is _round_inputs]:
                del hooks[key]


def _round_inputs(layer: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    rounding: Any = getattr(layer, _INPUT)
    return (rounding(inputs[0]), *inputs[1:])
