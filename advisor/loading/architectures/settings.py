"""What a network is asked for beside its name: as the weights, the input shape and the user say."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from ..recognition import read_layout
from .names import Architecture


@dataclass(frozen=True)
class Settings:
    """Deviations from the architecture's defaults; None leaves the default.

    `classes` of 0 means no classifier. `layers` are the names of the weights' entries, by which optional parts of a
    network are judged.
    """

    classes: int | None = None
    channels: int | None = None
    image_size: tuple[int, int] | None = None
    layers: frozenset[str] | None = None

    def __str__(self) -> str:
        parts = {"classes": self.classes, "input channels": self.channels, "image size": self.image_size}
        said = [f"{name} {value}" for name, value in parts.items() if value is not None]
        return ", ".join(said) or "its defaults"


def settings_for(
    arch: Architecture,
    weights: Mapping[str, Tensor] | None,
    input_shape: tuple[int, ...] | None,
    wanted: Settings,
) -> Settings:
    """Collect the settings; what was `wanted` goes first, then the weights, then the input shape."""
    settings = Settings()
    image = input_shape if input_shape is not None and len(input_shape) == 4 else None
    if image is not None:
        settings = Settings(channels=image[1], image_size=(image[2], image[3]))
    if weights is not None:
        layout = read_layout(str(arch), {name: tuple(tensor.shape) for name, tensor in weights.items()})
        side = layout.image_size if image is None else None
        settings = replace(
            settings,
            classes=layout.classes,
            channels=layout.channels or settings.channels,
            image_size=(side, side) if side else settings.image_size,
            layers=frozenset(weights),
        )
    chosen = {name: value for name, value in vars(wanted).items() if value is not None}
    return replace(settings, **chosen)
