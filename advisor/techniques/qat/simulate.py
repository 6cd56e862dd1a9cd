"""Rounding weights and layer inputs to int8 during training, so that the network learns to live with it.

Weights are rounded as the quantizer will do it, per output channel or as a whole; inputs of layers within a range that
follows the training images. Gradients pass the rounding unchanged (straight-through, Bengio 2013; Jacob 2018). Per
channel it makes no difference whether a batch norm is folded first: its factor scales the channel and its grid alike.
Sums and products of activations are left in float here, although runtimes round some of them.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

_FOLLOW = 0.05  # share of a batch's range in the running one
_LEAST = 1e-8  # scales below it would divide by nothing
_INPUT = "input_rounding"
Layer = nn.Conv1d | nn.Conv2d | nn.Linear


class WeightRounding(nn.Module):
    """Round a kernel to signed 8 bits around zero, or to 7 as onnxruntime's `reduce_range` does."""

    def __init__(self, per_channel: bool, *, seven_bits: bool = False, power_of_two: bool = False) -> None:
        """State the granularity and the grid."""
        super().__init__()
        self.per_channel, self.limit = per_channel, 64 if seven_bits else 127
        self.power_of_two = power_of_two

    def forward(self, kernel: Tensor) -> Tensor:
        """Return the kernel on its grid."""
        rows = kernel.detach().float().flatten(1) if self.per_channel else kernel.detach().float().reshape(1, -1)
        scales = (rows.abs().amax(1) / self.limit).clamp_min(_LEAST)
        if self.power_of_two:
            scales = self._nearest(rows, _covering(scales))
        zeros = torch.zeros(len(scales), dtype=torch.int32, device=scales.device)
        if self.per_channel:
            return torch.fake_quantize_per_channel_affine(kernel, scales, zeros, 0, -self.limit, self.limit)
        return torch.fake_quantize_per_tensor_affine(kernel, scales[0], zeros[0], -self.limit, self.limit)

    def _nearest(self, rows: Tensor, coarse: Tensor) -> Tensor:
        """Return the covering power of two or the next finer one, whichever rounds with less squared error."""

        def error(scales: Tensor) -> Tensor:
            steps = (rows / scales[:, None]).round().clamp(-self.limit, self.limit)
            return (steps * scales[:, None] - rows).square().sum(1)

        fine = coarse / 2
        return torch.where(error(fine) < error(coarse), fine, coarse)


class InputRounding(nn.Module):
    """Round activations to 8 bits within a range that follows the training batches."""

    low: Tensor
    high: Tensor
    batches: Tensor

    def __init__(self, symmetric: bool, *, power_of_two: bool = False) -> None:
        """Start without a range; the first batch sets it."""
        super().__init__()
        self.symmetric, self.power_of_two = symmetric or power_of_two, power_of_two
        for name in ("low", "high", "batches"):
            self.register_buffer(name, torch.zeros(()))

    def forward(self, values: Tensor) -> Tensor:
        """Return the activations on their grid."""
        if self.training or not self.batches:
            self._follow(values.detach())
        if self.symmetric:
            scale = (torch.maximum(-self.low, self.high) / 127).clamp_min(_LEAST)
            scale = _covering(scale) if self.power_of_two else scale
            zero = torch.zeros((), dtype=torch.int32, device=scale.device)
            return torch.fake_quantize_per_tensor_affine(values, scale, zero, -128, 127)
        scale = ((self.high - self.low) / 255).clamp_min(_LEAST)
        zero = (-self.low / scale).round().clamp(0, 255).to(torch.int32)
        return torch.fake_quantize_per_tensor_affine(values, scale, zero, 0, 255)

    def _follow(self, values: Tensor) -> None:
        low, high = values.min().clamp_max(0).float(), values.max().clamp_min(0).float()
        share = _FOLLOW if self.batches else 1.0
        self.low += share * (low - self.low)
        self.high += share * (high - self.high)
        self.batches += 1


@dataclass(frozen=True)
class Grid:
    """On which grids layers round."""

    per_channel: bool
    symmetric: bool  # activations around zero
    seven_bits: bool = False
    power_of_two: bool = False


def simulate(module: nn.Module, grid: Grid) -> int:
    """Make every convolution and linear layer of `module` round its weights and inputs; return how many do."""
    layers = [part for part in module.modules() if isinstance(part, Layer) and isinstance(part.weight, nn.Parameter)]
    for layer in layers:
        layer.add_module(_INPUT, InputRounding(grid.symmetric, power_of_two=grid.power_of_two))
        layer.register_forward_pre_hook(_round_inputs)
        weights = WeightRounding(grid.per_channel, seven_bits=grid.seven_bits, power_of_two=grid.power_of_two)
        parametrize.register_parametrization(layer, "weight", weights)
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


def _covering(scales: Tensor) -> Tensor:
    """Return the least powers of two that are not smaller."""
    return torch.exp2(torch.ceil(torch.log2(scales)))
