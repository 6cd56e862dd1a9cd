"""How images must be prepared for a network: from its own description where it has one, otherwise assumed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
_MOST_CHANNELS = 512  # of an image; hyperspectral cameras give some 200


@dataclass(frozen=True)
class Preprocessing:
    """Resize and crop to `size` (height, width), scale to 0..1, subtract `mean`, divide by `std`.

    `crop_pct` is the share of the resized image's edge that the crop keeps, `crop_mode` timm's word for how it is
    fitted.
    """

    size: tuple[int, int]
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    interpolation: str = "bilinear"
    crop_pct: float = 1.0
    crop_mode: str = "center"
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
            crop_pct=_share(config.get("crop_pct")),
            crop_mode=str(config.get("crop_mode") or "center"),
            source="pretrained_cfg",
        )
    if channels == 3:
        return Preprocessing(size=size)
    planes = min(channels, _MOST_CHANNELS)
    return Preprocessing(size=size, mean=(sum(IMAGENET_MEAN) / 3,) * planes, std=(sum(IMAGENET_STD) / 3,) * planes)


def _share(crop_pct: Any) -> float:
    """Return a crop's share of the edge; one that is none leaves the image whole."""
    return float(crop_pct) if isinstance(crop_pct, int | float) and 0 < crop_pct <= 1 else 1.0
