"""Building a network by its timm name; weights are random with a fixed seed until a checkpoint fills them."""

from collections.abc import Mapping
from typing import Any

import timm
import torch
from torch import Tensor, nn

from advisor.errors import ModelLoadError, nearest

from .rehearsal import first_line

_SEED = 0


def timm_name(arch: str) -> str:
    """Return the name without its `timm:` prefix, checked against timm's list."""
    name = arch.removeprefix("timm:").strip()
    if not name or ":" in name or "/" in name or not timm.is_model(name):
        base = name.split(".")[0]
        hint = nearest(base, timm.list_models()) if base else ""
        raise ModelLoadError(
            f"timm has no network called {name!r}",
            where=f"timm {timm.__version__}",
            remedy=hint or "List the names with python -c 'import timm; print(*timm.list_models())'.",
        )
    return name


def build(
    arch: str, weights: Mapping[str, Tensor] | None = None, input_shape: tuple[int, ...] | None = None
) -> nn.Module:
    """Create the network in evaluation mode; classes, input channels and image size follow weights and input."""
    name = timm_name(arch)
    config = timm.models.get_pretrained_cfg(name)
    options = _options(config.to_dict() if config else {}, weights, input_shape)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        try:
            module: nn.Module = timm.create_model(name, pretrained=False, **options)
            return module.eval()
        except Exception as error:
            raise ModelLoadError(
                f"timm cannot build {name!r} with {options or 'its defaults'}",
                where=first_line(error),
                remedy="Check that the checkpoint and the input shape belong to this architecture.",
            ) from error


def _options(
    config: Mapping[str, Any], weights: Mapping[str, Tensor] | None, input_shape: tuple[int, ...] | None
) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if weights is not None:
        rows = _axis(config.get("classifier"), weights, 0)
        if rows is not None and rows != config.get("num_classes"):
            options["num_classes"] = rows
        channels = _axis(config.get("first_conv"), weights, 1)
        if channels is not None and channels != 3:
            options["in_chans"] = channels
    elif input_shape is not None and len(input_shape) == 4 and input_shape[1] != 3:
        options["in_chans"] = input_shape[1]
    designed = config.get("input_size")
    if (
        input_shape is not None
        and config.get("fixed_input_size")
        and designed
        and tuple(designed[1:]) != input_shape[2:]
    ):
        options["img_size"] = tuple(input_shape[2:])
    return options


def _axis(layers: Any, weights: Mapping[str, Tensor], axis: int) -> int | None:
    """Return a side of the weight of the first named layer that the checkpoint holds."""
    for layer in (layers,) if isinstance(layers, str) else tuple(layers or ()):
        weight = weights.get(f"{layer}.weight")
        if weight is not None and weight.dim() > axis:
            return int(weight.shape[axis])
    return None
