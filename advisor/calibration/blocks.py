"""Blocks of networks as torch modules: what a calibration times besides stacks of convolutions."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

_ACTIVATIONS = {"relu": nn.ReLU, "silu": nn.SiLU, "gelu": nn.GELU, "hardswish": nn.Hardswish}


def _conv(wide: int, out: int, kernel: int = 1, groups: int = 1, activation: str = "relu", stride: int = 1) -> Any:
    layers = [nn.Conv2d(wide, out, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(out)]
    return nn.Sequential(*layers, *([_ACTIVATIONS[activation]()] if activation else []))


class _Add(nn.Module):
    """A residual connection, with an activation after the sum where one is named."""

    def __init__(self, body: nn.Module, activation: str = "") -> None:
        super().__init__()
        self.body = body
        self.after = _ACTIVATIONS[activation]() if activation else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.after(x + self.body(x))  # type: ignore[no-any-return]


class _Attention(nn.Module):
    """Multi-head attention in the form that most vision transformers share."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        mixed = functional.scaled_dot_product_attention(q, k, v)
        return self.out(mixed.transpose(1, 2).reshape(batch, tokens, width))  # type: ignore[no-any-return]


class _Squeeze(nn.Module):
    """Squeeze-and-excite: a mean over the image, two small layers, a product with the image."""

    def __init__(self, width: int, activation: str, gate: nn.Module) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(width, width // 4, 1), nn.Conv2d(width // 4, width, 1)
        self.activation, self.gate = _ACTIVATIONS[activation](), gate

    def forward(self, x: Tensor) -> Tensor:
        scale = self.up(self.activation(self.down(x.mean((2, 3), keepdim=True))))
        return x * self.gate(scale)  # type: ignore[no-any-return]


class _ConvNext(nn.Module):
    """A depthwise 7x7, a norm over channels, two pointwise layers around a GELU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.spatial = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width)
        self.wide, self.thin = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.norm(self.spatial(x).permute(0, 2, 3, 1))
        return x + self.thin(functional.gelu(self.wide(inner))).permute(0, 3, 1, 2)  # type: ignore[no-any-return]


class _Grow(nn.Module):
    """A layer of a densely connected network: its output is appended to its input."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(width), nn.ReLU(), _conv(width, 4 * growth), nn.Conv2d(4 * growth, growth, 3, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat((x, self.body(x)), 1)


class _Pyramid(nn.Module):
    """A lateral connection: the coarse image is enlarged and added to the fine one."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.down, self.fine = _conv(width, width, 3, stride=2), _conv(width, width)

    def forward(self, x: Tensor) -> Tensor:
        up = functional.interpolate(self.down(x), scale_factor=2.0, mode="nearest")
        return torch.cat((self.fine(x) + up, up), 1)


class _Shuffle(nn.Module):
    """Half of the channels pass, half are worked on; then both are interleaved."""

    def __init__(self, width: int) -> None:
        super().__init__()
        half = width // 2
        self.body = nn.Sequential(_conv(half, half), _conv(half, half, 3, half, ""), _conv(half, half))

    def forward(self, x: Tensor) -> Tensor:
        left, right = x.chunk(2, 1)
        x = torch.cat((left, self.body(right)), 1)
        batch, width, high, wide = x.shape
        return x.view(batch, 2, width // 2, high, wide).transpose(1, 2).reshape(batch, width, high, wide)


def mlps(width: int, count: int) -> Any:
    """Return transformer MLPs with their norms."""

    def one() -> Any:
        return _Add(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        )

    return nn.Sequential(*(one() for _ in range(count)))


def attentions(width: int, heads: int, count: int) -> Any:
    """Return attention blocks with their norms."""
    return nn.Sequential(*(_Add(nn.Sequential(nn.LayerNorm(width), _Attention(width, heads))) for _ in range(count)))


def activated(width: int, activation: str) -> Any:
    """Return pointwise layers with an activation that may or may not be fused."""
    return nn.Sequential(*(_conv(width, width, activation=activation) for _ in range(3)))


def sums(width: int) -> Any:
    """Return residual sums of depthwise layers, activated after the sum."""
    return nn.Sequential(*(_Add(_conv(width, width, 3, width, ""), "relu") for _ in range(3)))


def squeezed(width: int, activation: str) -> Any:
    """Return depthwise layers with squeeze-and-excite."""
    gate: type[nn.Module] = nn.Hardsigmoid if activation == "hardswish" else nn.Sigmoid
    return nn.Sequential(
        *(nn.Sequential(_conv(width, width, 3, width, activation), _Squeeze(width, "relu", gate())) for _ in range(3))
    )


def inverted(width: int, wide: int, count: int) -> Any:
    """Return inverted residuals: pointwise, depthwise, pointwise."""

    def one() -> Any:
        return _Add(nn.Sequential(_conv(width, wide), _conv(wide, wide, 3, wide), _conv(wide, width, activation="")))

    return nn.Sequential(*(one() for _ in range(count)))


def residual(width: int) -> Any:
    """Return two basic residual blocks."""

    def one() -> Any:
        return _Add(nn.Sequential(_conv(width, width, 3), _conv(width, width, 3, activation="")), "relu")

    return nn.Sequential(one(), one())


def convnexts(width: int, count: int) -> Any:
    """Return ConvNeXt blocks."""
    return nn.Sequential(*(_ConvNext(width) for _ in range(count)))


def densely(width: int, growth: int, count: int) -> Any:
    """Return densely connected layers."""
    return nn.Sequential(*(_Grow(width + i * growth, growth) for i in range(count)))


def pooled(width: int) -> Any:
    """Return layers with maximum and average pools between them."""
    return nn.Sequential(
        _conv(width, width), nn.MaxPool2d(3, 2, 1), _conv(width, width), nn.AvgPool2d(2), _conv(width, width),
        nn.MaxPool2d(3, 1, 1), _conv(width, width),
    )  # fmt: skip


def smoothed(width: int) -> Any:
    """Return average pools of stride 1 between pointwise layers, and a gate on the mean of a large image."""
    return nn.Sequential(
        _conv(width, width), nn.AvgPool2d(3, 1, 1), _conv(width, width // 2), nn.AvgPool2d(3, 1, 1),
        _conv(width // 2, width),
        _Squeeze(width, "relu", nn.Hardsigmoid()),
    )  # fmt: skip


def pyramid(width: int) -> Any:
    """Return two lateral connections."""
    return nn.Sequential(_Pyramid(width), _conv(2 * width, width), _Pyramid(width))


def shuffled(width: int) -> Any:
    """Return three shuffle units."""
    return nn.Sequential(*(_Shuffle(width) for _ in range(3)))
