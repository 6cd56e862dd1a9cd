"""The networks that a calibration times: stacks of one kind of layer, blocks, and a few real networks.

Stacks tell what a kernel costs at one shape, blocks what lies between layers, real networks how it adds up. Weights are
random, since time does not depend on them; norms and biases get values of their own, so that no exporter merges them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Build = Callable[[], Any]


@dataclass(frozen=True)
class Probe:
    """A network to be timed: `family` groups probes that must be left out together when a fit is judged."""

    name: str
    family: str
    input_shape: tuple[int, ...]
    build: Build
    quick: bool = False  # also part of a quick calibration


# Stacks of one kernel at one shape: no network, and harsher to predict than one.
STACKS = frozenset({"conv3", "conv1", "dw3", "dw5", "dw7", "grouped", "stem"})


def probes(quick: bool = False) -> tuple[Probe, ...]:
    """Return the calibration set; `quick` leaves out what refines more than it decides."""
    every = (*_stacks(), *_blocks(), *_networks())
    return tuple(probe for probe in every if probe.quick or not quick)


def built(probe: Probe) -> Any:
    """Return the module in evaluation mode with distinct norms and biases."""
    import torch

    torch.manual_seed(0)
    return distinct(probe.build().eval())


def distinct(module: Any) -> Any:
    """Give biases and norms values of their own: exporters merge equal tensors, which trained networks do not have."""
    import torch

    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            if tensor.ndim == 1 and tensor.is_floating_point():
                tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
    return module


@dataclass(frozen=True)
class _Conv:
    """A convolution with batch norm and, unless `plain`, a ReLU: output channels, kernel, stride, groups."""

    out: int
    kernel: int = 1
    stride: int = 1
    groups: int = 1
    plain: bool = False


def _chain(channels: int, layers: tuple[_Conv, ...]) -> Any:
    from torch import nn

    parts: list[Any] = []
    for layer in layers:
        groups = channels if layer.groups < 0 else layer.groups
        padding = 0 if layer.stride == layer.kernel else layer.kernel // 2
        parts.append(nn.Conv2d(channels, layer.out, layer.kernel, layer.stride, padding, groups=groups, bias=False))
        parts.append(nn.BatchNorm2d(layer.out))
        parts += [] if layer.plain else [nn.ReLU()]
        channels = layer.out
    return nn.Sequential(*parts)


def _stack(name: str, channels: int, side: int, *layers: _Conv, quick: bool = False) -> Probe:
    family = name.split("-", maxsplit=1)[0]
    return Probe(name, family, (1, channels, side, side), lambda: _chain(channels, layers), quick)


def _stacks() -> tuple[Probe, ...]:
    """Return stacks of convolutions: aligned and unaligned widths, large and small images."""
    conv, depthwise = _Conv, -1

    def dense(width: int, count: int = 3, kernel: int = 3) -> tuple[_Conv, ...]:
        return tuple(conv(width, kernel) for _ in range(count))

    def spatial(width: int, kernel: int = 3, count: int = 4) -> tuple[_Conv, ...]:
        return tuple(conv(width, kernel, groups=depthwise) for _ in range(count))

    def bottlenecks(wide: int, thin: int, count: int = 3) -> tuple[_Conv, ...]:
        return tuple(layer for _ in range(count) for layer in (conv(wide), conv(thin, plain=True)))

    return (
        _stack("conv3-64@56", 64, 56, *dense(64), quick=True),
        _stack("conv3-128@28", 128, 28, *dense(128)),
        _stack("conv3-256@14", 256, 14, *dense(256), quick=True),
        _stack("conv3-512@7", 512, 7, *dense(512, 2), quick=True),
        _stack("conv3-24@80", 24, 80, *dense(24)),
        _stack("conv3-strided", 32, 112, conv(64, 3, 2), conv(128, 3, 2), conv(256, 3, 2), conv(256, 3, 2)),
        _stack("conv3-45@56", 45, 56, *dense(45), quick=True),
        _stack("conv3-179@14", 179, 14, *dense(179)),
        _stack("conv3-52@28", 52, 28, *dense(52)),
        _stack("conv1-24-144@56", 24, 56, *bottlenecks(144, 24), quick=True),
        _stack("conv1-64-256@56", 64, 56, *bottlenecks(256, 64, 2)),
        _stack("conv1-80-480@14", 80, 14, *bottlenecks(480, 80), quick=True),
        _stack("conv1-256-1024@14", 256, 14, *bottlenecks(1024, 256, 2)),
        _stack("conv1-192-1152@7", 192, 7, *bottlenecks(1152, 192), quick=True),
        _stack("conv1-512-2048@7", 512, 7, *bottlenecks(2048, 512, 1)),
        _stack("conv1-17-101@56", 17, 56, *bottlenecks(101, 17), quick=True),
        _stack("conv1-67-403@14", 67, 14, *bottlenecks(403, 67), quick=True),
        _stack("conv1-134-806@7", 134, 7, *bottlenecks(806, 134)),
        _stack("conv1-20-120@28", 20, 28, *bottlenecks(120, 20, 4)),
        _stack("dw3-96@56", 96, 56, *spatial(96), quick=True),
        _stack("dw3-240@28", 240, 28, *spatial(240)),
        _stack("dw3-576@14", 576, 14, *spatial(576), quick=True),
        _stack("dw3-960@7", 960, 7, *spatial(960)),
        _stack("dw3-strided", 96, 112, *(conv(96, 3, 2, depthwise) for _ in range(4))),
        _stack("dw5-80@56", 80, 56, *spatial(80, 5)),
        _stack("dw5-672@14", 672, 14, *spatial(672, 5), quick=True),
        _stack("dw7-96@40", 96, 40, *spatial(96, 7)),
        _stack("dw7-384@10", 384, 10, *spatial(384, 7)),
        _stack("dw3-67@56", 67, 56, *spatial(67), quick=True),
        _stack("dw3-403@14", 403, 14, *spatial(403)),
        _stack("grouped-64x4@28", 64, 28, *(conv(64, 3, 1, 4) for _ in range(3)), quick=True),
        _stack("grouped-128x32@28", 128, 28, *(conv(128, 3, 1, 32) for _ in range(3))),
        _stack("grouped-256x16@14", 256, 14, *(conv(256, 3, 1, 16) for _ in range(3))),
        _stack("grouped-336x14@7", 336, 14, *(conv(336, 3, 1, 14) for _ in range(3))),
        _stack("grouped-48x2@24", 48, 24, conv(96, 7, 2, 48), conv(192, 3, 1, 96)),
        _stack("dw3-72@56", 72, 56, *spatial(72), quick=True),
        _stack("dw5-120@28", 120, 28, *spatial(120, 5)),
        _stack("stem-3x3", 3, 224, conv(32, 3, 2), quick=True),
        _stack("stem-7x7", 3, 224, conv(64, 7, 2)),
        _stack("stem-patches-16", 3, 224, conv(192, 16, 16), quick=True),
        _stack("stem-patches-4", 3, 160, conv(80, 4, 4)),
        _stack("grouped-192x8@14", 192, 14, *(conv(192, 3, 1, 8) for _ in range(2))),
        _stack("stem-thin", 3, 192, conv(16, 3, 2), conv(22, 3, 2)),
    )


def _block(name: str, shape: tuple[int, ...], build: Build, *, quick: bool = False) -> Probe:
    return Probe(name, name.split("-", maxsplit=1)[0], (1, *shape), build, quick)


def _blocks() -> tuple[Probe, ...]:
    """Return blocks of what networks are made of besides convolutions."""
    from . import blocks

    return (
        _block("mlp-192x196", (196, 192), lambda: blocks.mlps(192, 3), quick=True),
        _block("mlp-384x49", (49, 384), lambda: blocks.mlps(384, 2)),
        _block("mlp-269x196", (196, 269), lambda: blocks.mlps(269, 2)),
        _block("attention-192x196", (196, 192), lambda: blocks.attentions(192, 3, 3), quick=True),
        _block("attention-384x64", (64, 384), lambda: blocks.attentions(384, 6, 3)),
        _block("silu-96@56", (96, 56, 56), lambda: blocks.activated(96, "silu")),
        _block("gelu-96@56", (96, 56, 56), lambda: blocks.activated(96, "gelu")),
        _block("hardswish-96@56", (96, 56, 56), lambda: blocks.activated(96, "hardswish")),
        _block("relu-unfused-96@28", (96, 28, 28), lambda: blocks.sums(96)),
        _block("se-silu-144@28", (144, 28, 28), lambda: blocks.squeezed(144, "silu"), quick=True),
        _block("se-relu-480@14", (480, 14, 14), lambda: blocks.squeezed(480, "relu")),
        _block("se-hardswish-240@14", (240, 14, 14), lambda: blocks.squeezed(240, "hardswish")),
        _block("inverted-24@56", (24, 56, 56), lambda: blocks.inverted(24, 144, 3), quick=True),
        _block("inverted-17@56", (17, 56, 56), lambda: blocks.inverted(17, 101, 3), quick=True),
        _block("inverted-67@14", (67, 14, 14), lambda: blocks.inverted(67, 403, 3)),
        _block("residual-64@40", (64, 40, 40), lambda: blocks.residual(64), quick=True),
        _block("residual-90@28", (90, 28, 28), lambda: blocks.residual(90)),
        _block("convnext-80@28", (80, 28, 28), lambda: blocks.convnexts(80, 3)),
        _block("dense-64@28", (64, 28, 28), lambda: blocks.densely(64, 32, 5), quick=True),
        _block("pool-64@56", (64, 56, 56), lambda: blocks.pooled(64)),
        _block("pool-192@28", (192, 28, 28), lambda: blocks.smoothed(192), quick=True),
        _block("dense-96@48", (96, 48, 48), lambda: blocks.densely(96, 64, 3)),
        _block("upsample-64@28", (64, 28, 28), lambda: blocks.pyramid(64)),
        _block("shuffle-116@28", (116, 28, 28), lambda: blocks.shuffled(116)),
    )


# Small members of families that differ in what they are made of.
_NETWORKS: tuple[tuple[str, int, bool], ...] = (
    ("resnet18", 160, True), ("mobilenetv2_100", 160, True), ("efficientnet_b0", 160, True),
    ("vit_tiny_patch16_224", 224, True), ("convnext_atto", 160, False), ("mobilenetv3_small_100", 224, False),
    ("regnety_002", 160, False), ("cs3darknet_s", 160, False), ("mnasnet_small", 224, False),
    ("visformer_tiny", 224, False),
)  # fmt: skip


def _networks() -> tuple[Probe, ...]:
    def maker(name: str) -> Build:
        def build() -> Any:
            import timm

            return timm.create_model(name)

        return build

    return tuple(Probe(name, name, (1, 3, side, side), maker(name), quick) for name, side, quick in _NETWORKS)
