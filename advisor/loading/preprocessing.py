"""How images must be prepared for a network: from its own description where it has one, otherwise assumed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
_MOST_CHANNELS = 512  # of an image; hyperspectral cameras give some 200


@dataclass(frozen=True)
class Preprocessing:
    """Resize to `size` (height, width), scale to 0..1, subtract `mean`, divide by `std`."""

    size: tuple[int, int]
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    interpolation: str = "bilinear"
    source: str = "assumed"  # "pretrained_cfg" or "assumed" (ImageNet)


def preprocessing(input_shape: tuple[int, ...], config: Mapping[str, Any] | None) -> Preprocessing:
    """Return the preprocessing for this input; `config` is timm's pretrained_cfg."""
    size = (input_shape[-2], input_shape[-1]) if len(input_shape) >= 3 else (1, input_shape[-1])
    channels = input_shape[1] if len(input_shape) > 1 else 1
    if config and config.get("mean") and config.get("std") and len(config["mean"]) == channels:
        return Preprocessing(
            size=size,
            mean=tuple(map(float, config["mean"])),
            std=tuple(map(float, config["std"])),
            interpolation=str(config.get("interpolation") or "bilinear"),
            source="pretrained_cfg",
        )
    if channels == 3:
        return Preprocessing(size=size)
    planes = min(channels, _MOST_CHANNELS)
    return Preprocessing(size=size, mean=(sum(IMAGENET_MEAN) / 3,) * planes, std=(sum(IMAGENET_STD) / 3,) * planes)
