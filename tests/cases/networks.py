"""Networks of the decisions: by name from a library, or small ones that no library has, with random weights."""

from functools import cache
from itertools import pairwise
from typing import Any

from advisor.schema import Workload


@cache
def workload(name: str, batch: int = 1) -> Workload:
    """Return the profile of a network: one of ours, `torchvision:NAME`, or a name of timm; `NAME@96` sets the side."""
    from advisor import profile

    plain, _, side = name.partition("@")
    if plain in _OWN:
        build, shape = _OWN[plain]
        return profile(build(), input_shape=shape, batch=batch).model_copy(update={"name": plain, "source": plain})
    options: dict[str, Any] = {"input_shape": (1, 3, int(side), int(side))} if side else {}
    return profile(plain if ":" in plain else f"timm:{plain}", batch=batch, **options)


def _conv(wide: int, out: int, kernel: int = 3, stride: int = 1, act: str = "ReLU") -> Any:
    from torch import nn

    pad = kernel // 2
    return nn.Sequential(nn.Conv2d(wide, out, kernel, stride, pad, bias=False), nn.BatchNorm2d(out), getattr(nn, act)())


def _resnet8() -> Any:
    """The image classifier of MLPerf Tiny: 32x32 pixels, stages of 16, 32 and 64 channels, one block in each."""
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self, wide: int, out: int) -> None:
            super().__init__()
            stride = 1 if wide == out else 2
            self.first = _conv(wide, out, stride=stride)
            self.second = nn.Sequential(nn.Conv2d(out, out, 3, padding=1, bias=False), nn.BatchNorm2d(out))
            self.skip = nn.Identity() if stride == 1 else nn.Conv2d(wide, out, 1, stride)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(self.second(self.first(x)) + self.skip(x))

    stages = (Block(16, 16), Block(16, 32), Block(32, 64))
    return nn.Sequential(_conv(3, 16), *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def _plain3x3() -> Any:
    """A stack of plain 3x3 convolutions with pooling, 32x32 pixels: the shape that the MAX78000 was made for."""
    from torch import nn

    layers: list[Any] = []
    for wide, out in ((3, 32), (32, 32), (32, 64), (64, 64)):
        layers += [_conv(wide, out), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 2 * 2, 10))


def _yolo() -> Any:
    """A small detector with the head of YOLOv8: box sides as distributions over 16 bins, and scores; 320x320."""
    import torch
    from torch import nn

    class Head(nn.Module):
        def __init__(self, widths: tuple[int, ...], classes: int = 80) -> None:
            super().__init__()
            self.box = nn.ModuleList(nn.Sequential(_conv(w, 64, act="SiLU"), nn.Conv2d(64, 64, 1)) for w in widths)
            self.score = nn.ModuleList(
                nn.Sequential(_conv(w, 80, act="SiLU"), nn.Conv2d(80, classes, 1)) for w in widths
            )
            self.bins = nn.Conv2d(16, 1, 1, bias=False)

        def forward(self, maps: list[torch.Tensor]) -> torch.Tensor:
            rows = [
                torch.cat((box(x), score(x)), 1).flatten(2)
                for box, score, x in zip(self.box, self.score, maps, strict=True)
            ]
            boxes, scores = torch.cat(rows, 2).split((64, 80), 1)
            sides = boxes.view(1, 4, 16, -1).transpose(1, 2).softmax(1)
            return torch.cat((self.bins(sides).view(1, 4, -1), scores.sigmoid()), 1)

    class Detector(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Sequential(_conv(3, 16, 3, 2, "SiLU"), _conv(16, 32, 3, 2, "SiLU"))
            wide = (32, 64, 128, 256)
            self.stages = nn.ModuleList(
                nn.Sequential(_conv(a, b, 3, 2, "SiLU"), _conv(b, b, 3, 1, "SiLU")) for a, b in pairwise(wide)
            )
            self.head = Head(wide[1:])

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x, maps = self.stem(x), []
            for stage in self.stages:
                x = stage(x)
                maps.append(x)
            return self.head(maps)

    return Detector()


_OWN: dict[str, tuple[Any, tuple[int, ...]]] = {
    "resnet8": (_resnet8, (1, 3, 32, 32)),
    "plain3x3": (_plain3x3, (1, 3, 32, 32)),
    "yolo": (_yolo, (1, 3, 320, 320)),
}
