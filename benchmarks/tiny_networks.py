"""Small networks of microcontroller benchmarks that timm lacks, by their published shapes; random weights."""

from typing import Any

import torch
from timm.models import efficientnet
from torch import nn


class Residual(nn.Module):
    """Two 3x3 convolutions with a shortcut."""

    def __init__(self, wide: int, out: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*norm_conv(wide, out, 3, stride), nn.ReLU(), *norm_conv(out, out, 3))
        self.skip = nn.Conv2d(wide, out, 1, stride) if stride != 1 or wide != out else nn.Identity()
        self.relu = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the sum of body and shortcut."""
        return self.relu(self.body(x) + self.skip(x))


def norm_conv(
    wide: int, out: int, kernel: Any, stride: Any = 1, groups: int = 1, padding: Any = None
) -> list[nn.Module]:
    """Return a convolution with batch norm."""
    pad = kernel // 2 if padding is None else padding
    return [nn.Conv2d(wide, out, kernel, stride, pad, groups=groups, bias=False), nn.BatchNorm2d(out)]


def resnet_cifar(blocks: int, classes: int) -> nn.Module:
    """ResNet v1 for 32x32 images: stages of 16, 32, 64 channels, `blocks` in each (1: ResNet-8, 5: ResNet-32)."""
    layers: list[nn.Module] = [*norm_conv(3, 16, 3), nn.ReLU()]
    wide = 16
    for stage, out in enumerate((16, 32, 64)):
        for block in range(blocks):
            layers.append(Residual(wide, out, 2 if stage and not block else 1))
            wide = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes))


def ds_cnn(classes: int = 12, channels: int = 64) -> nn.Module:
    """The keyword network of MLPerf Tiny: input 1x49x10, stem 10x4 of stride 2, four depthwise separable blocks."""
    layers: list[nn.Module] = [*norm_conv(1, channels, (10, 4), (2, 2), padding=(5, 1)), nn.ReLU()]
    for _ in range(4):
        layers += [*norm_conv(channels, channels, 3, groups=channels), nn.ReLU()]
        layers += [*norm_conv(channels, channels, 1), nn.ReLU()]
    return nn.Sequential(*layers, nn.AvgPool2d((25, 5)), nn.Flatten(), nn.Linear(channels, classes), nn.Softmax(-1))


def mobilenet_v1(width: float, classes: int, channels: int = 3) -> nn.Module:
    """MobileNetV1 of any width."""
    return efficientnet._gen_mobilenet_v1(
        "mobilenetv1_100", channel_multiplier=width, num_classes=classes, in_chans=channels
    )


def mobilenet_v2(width: float, classes: int = 1000) -> nn.Module:
    """MobileNetV2 of any width."""
    return efficientnet._gen_mobilenet_v2("mobilenetv2_100", channel_multiplier=width, num_classes=classes)
