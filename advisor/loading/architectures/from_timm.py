"""timm networks."""

from typing import Any

import timm
from torch import nn

from .settings import Settings


def build(name: str, settings: Settings) -> nn.Module:
    """Create a timm network; a tag decides classes, input size and preprocessing, the settings overrule it."""
    config = timm.models.get_pretrained_cfg(name)
    known: dict[str, Any] = config.to_dict() if config else {}
    options: dict[str, Any] = {}
    if settings.classes is not None and settings.classes != known.get("num_classes"):
        options["num_classes"] = settings.classes
    channels, *designed = known.get("input_size") or (3,)
    if settings.channels is not None and settings.channels != channels:
        options["in_chans"] = settings.channels
    if settings.image_size is not None and known.get("fixed_input_size") and settings.image_size != tuple(designed):
        options["img_size"] = settings.image_size
    module: nn.Module = timm.create_model(name, pretrained=False, **options)
    if known.get("input_size") and options.keys() & {"in_chans", "img_size"}:
        # What the network was published for is not what it was built for.
        size = (options.get("in_chans", channels), *options.get("img_size", designed))
        module.pretrained_cfg = {**known, "input_size": size}  # type: ignore[assignment]
    return module
