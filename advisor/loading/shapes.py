"""The shape of the example input: what the user asked for, or what the network suggests."""

from collections.abc import Sequence
from typing import Any

from torch import nn

from advisor.errors import ModelLoadError

_USUAL_SIDE = 224


def asked_shape(shape: Sequence[Any] | None, batch: int) -> tuple[int, ...] | None:
    """Check the user's shape; three figures are channels, height and width of one image."""
    if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
        raise ModelLoadError(f"a batch of {batch!r} is not possible", remedy="Give a whole number from 1.")
    if shape is None:
        return None
    figures = tuple(shape)
    written = ",".join(map(str, figures))
    if not all(isinstance(f, int) and not isinstance(f, bool) for f in figures) or not 2 <= len(figures) <= 5:
        raise ModelLoadError(f"{written!r} is no input shape", remedy="Write --input 1,3,224,224 or 3,224,224.")
    if any(f < 1 for f in figures):
        raise ModelLoadError(f"the input shape {written} has a side below 1", remedy="Every figure must be 1 or more.")
    if len(figures) == 3:
        return (batch, *figures)
    if batch not in (1, figures[0]):
        raise ModelLoadError(
            f"the input shape {written} contradicts the batch of {batch}", remedy="Leave one of the two out."
        )
    return figures


def usual_shape(module: nn.Module, batch: int) -> tuple[int, ...]:
    """Return the input that the network was designed for, else its first layer's channels at 224 x 224."""
    size = (getattr(module, "pretrained_cfg", None) or {}).get("input_size")
    if size:
        return (batch, *map(int, size))
    for layer in module.modules():
        if isinstance(layer, nn.Conv1d):
            return (batch, layer.in_channels, _USUAL_SIDE)
        if isinstance(layer, nn.Conv2d):
            return (batch, layer.in_channels, _USUAL_SIDE, _USUAL_SIDE)
        if isinstance(layer, nn.Linear):
            return (batch, layer.in_features)
    return (batch, 3, _USUAL_SIDE, _USUAL_SIDE)
