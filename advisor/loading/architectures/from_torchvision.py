"""torchvision networks: classifiers, detectors and segmenters, with the preprocessing of their published weights."""

from typing import Any

from torch import nn
from torchvision.models import get_model, get_model_builder, get_model_weights

from advisor.errors import ModelLoadError

from .settings import Settings

# Parts that exist in training alone; whether a checkpoint kept them is seen from these names.
_OPTIONAL = {"aux_loss": ("aux_classifier.",), "aux_logits": ("aux1.", "AuxLogits.")}


def build(name: str, settings: Settings) -> nn.Module:
    """Create a torchvision network without its published weights and attach their preprocessing to it."""
    module: nn.Module = get_model(name, **default_options(name), **_options(name, settings))
    if settings.channels not in (None, 3):
        _change_channels(name, module, int(settings.channels or 3))
    module.pretrained_cfg = description(name, module)  # type: ignore[assignment]
    return module


def default_options(name: str) -> dict[str, Any]:
    """Return the options by which nothing is downloaded and no time is lost on initial values."""
    options: dict[str, Any] = {"weights": None}
    if task(name) != "classification":
        options["weights_backbone"] = None
    if name in ("googlenet", "inception_v3"):
        options["init_weights"] = False  # their own initial values take a minute
    return options


def task(name: str) -> str:
    """Return classification, detection or segmentation."""
    module = get_model_builder(name).__module__
    return next((kind for kind in ("detection", "segmentation") if f".{kind}." in module), "classification")


def part_option(name: str) -> str | None:
    """Return the option that switches the part for training alone, for networks that have one."""
    if name in ("googlenet", "inception_v3"):
        return "aux_logits"
    return "aux_loss" if task(name) == "segmentation" and not name.startswith("lraspp") else None


def description(name: str, module: nn.Module) -> dict[str, Any]:
    """Describe input and preprocessing in the words of timm's pretrained_cfg."""
    published = get_model_weights(name).DEFAULT
    preset = published.transforms()
    described: dict[str, Any] = {
        "source": f"torchvision {published}",
        "num_classes": len(published.meta.get("categories", ())) or None,
        "mean": tuple(getattr(preset, "mean", (0.0, 0.0, 0.0))),  # detectors normalise inside
        "std": tuple(getattr(preset, "std", (1.0, 1.0, 1.0))),
        "interpolation": str(getattr(getattr(preset, "interpolation", None), "value", "bilinear")),
        "input_size": (3, *_sides(module, preset)),
    }
    if hasattr(preset, "crop_size"):
        described["crop_pct"] = preset.crop_size[0] / preset.resize_size[0]
    return described


def _sides(module: nn.Module, preset: Any) -> tuple[int, int]:
    """Return height and width: as the network is fixed, else as its weights were published, else as it rescales."""
    built_for = getattr(module, "image_size", None)
    if isinstance(built_for, int):
        return built_for, built_for
    for size in (getattr(preset, "crop_size", None), getattr(preset, "resize_size", None)):
        if size:
            return int(size[0]), int(size[-1])
    rescale: Any = module.transform
    if rescale.fixed_size:
        return int(rescale.fixed_size[1]), int(rescale.fixed_size[0])
    return int(rescale.min_size[-1]), int(rescale.min_size[-1])


def _options(name: str, settings: Settings) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if settings.classes:
        options["num_classes"] = settings.classes
    part = part_option(name)
    if part is not None and settings.layers is not None:
        options[part] = any(layer.startswith(_OPTIONAL[part]) for layer in settings.layers)
    if settings.image_size is not None:
        if name.startswith("vit_") and settings.image_size[0] == settings.image_size[1]:
            options["image_size"] = settings.image_size[0]
        elif name.startswith("maxvit"):
            options["input_size"] = settings.image_size
    return options


def _change_channels(name: str, module: nn.Module, channels: int) -> None:
    """Put another first convolution in place; torchvision has no option for it."""
    if task(name) == "detection":
        raise ModelLoadError(
            f"torchvision's {name} takes images of 3 channels only",
            where=f"{channels} channels were asked for",
            remedy="Give an input of 3 channels, or the network itself as nn.Module.",
        )
    path, first = first_convolution(module)
    parent, _, attribute = path.rpartition(".")
    made = nn.Conv2d(
        channels,
        first.out_channels,
        first.kernel_size,  # type: ignore[arg-type]
        first.stride,  # type: ignore[arg-type]
        first.padding,  # type: ignore[arg-type]
        first.dilation,  # type: ignore[arg-type]
        bias=first.bias is not None,
    )
    module.get_submodule(parent)._modules[attribute] = made


def first_convolution(module: nn.Module) -> tuple[str, nn.Conv2d]:
    """Return the first convolution and its name."""
    return next((path, layer) for path, layer in module.named_modules() if isinstance(layer, nn.Conv2d))
