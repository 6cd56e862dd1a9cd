"""The networks that the index knows, built without memory for their weights."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import timm
import torch
from torch.overrides import TorchFunctionMode
from torchvision.models import get_model

from ..architectures.from_torchvision import default_options, first_convolution, part_option, task
from ..architectures.names import torchvision_names

Sizes = dict[str, tuple[int, ...]]


class _ParametersOnMeta(TorchFunctionMode):
    """Put what layers reserve for weights onto the meta device, and leave computed constants on the CPU."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        return func(*args, **({**kwargs, "device": "meta"} if func is torch.empty else kwargs))


def known_networks() -> tuple[str, ...]:
    """Name every architecture of the installed timm and torchvision that belongs into the index."""
    return (
        *(f"timm:{name}" for name in timm.list_models()),
        *(f"torchvision:{name}" for name in torchvision_names()),
    )


def network_shapes(arch: str, **options: Any) -> Sizes:
    """Build an architecture with its library's options and return the shapes of its state dict."""
    return _shapes(_without_memory(arch, options))


def published_classes(arch: str) -> int:
    """Return the number of classes that the architecture has by default, 0 without a classifier."""
    source, _, name = arch.partition(":")
    if source == "timm":
        config = timm.models.get_pretrained_cfg(name)
        return int(config.num_classes or 0) if config else 0
    return 0


def training_part(arch: str) -> str | None:
    """Return the option of a part for training alone; such networks have weights of two kinds."""
    source, _, name = arch.partition(":")
    return part_option(name) if source == "torchvision" else None


def first_entry(arch: str) -> str | None:
    """Return the weight of the first convolution of a network that has no option for input channels."""
    source, _, name = arch.partition(":")
    if source == "timm" or task(name) == "detection":
        return None
    path, _ = first_convolution(_without_memory(arch, {}))
    return f"{path}.weight"


def _without_memory(arch: str, options: dict[str, Any]) -> torch.nn.Module:
    source, _, name = arch.partition(":")
    with _silent():
        try:
            with torch.device("meta"):
                return _create(source, name, options)
        except NotImplementedError:  # some constructors compute widths with tensors, which need values
            with _ParametersOnMeta():
                return _create(source, name, options)


def _create(source: str, name: str, options: dict[str, Any]) -> torch.nn.Module:
    if source == "timm":
        module: torch.nn.Module = timm.create_model(name, pretrained=False, **options)
        return module
    module = get_model(name, **default_options(name), **options)
    return module


def _shapes(module: torch.nn.Module) -> Sizes:
    return {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}


@contextmanager
def _silent() -> Iterator[None]:
    """Keep what constructors warn about from the user, who asked for none of these networks."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
