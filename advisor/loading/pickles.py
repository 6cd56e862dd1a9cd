"""Opening torch checkpoints without running code that they carry.

torch's restricted unpickler does the reading. For each file it is given the classes that the file names and that may be
rebuilt: network layers of torch.nn, timm and torchvision - imported and checked to be nn.Module subclasses defined
there - and a short table of harmless types. Functions are never allowed. The byte code of the pickle is followed once
before: layers may only be created empty and filled with state, as torch.save writes them, never called with arguments
of the file's choosing.
"""

import argparse
import functools
import importlib
import pathlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import timm.layers
import torch
from torch import nn
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

from advisor.errors import ModelLoadError

from .pickle_code import called_names

_LAYER_PACKAGES = ("torch.nn.modules.", "timm.models.", "timm.layers.", "torchvision.models.", "torchvision.ops.")


class LayerFactory(functools.partial):  # type: ignore[type-arg]
    """A `functools.partial` from a checkpoint; it can wrap a layer class and nothing else."""

    def __new__(cls, func: Any, /, *args: Any, **kwargs: Any) -> "LayerFactory":
        """Refuse to wrap anything but a layer class."""
        _require_layer(func)
        return super().__new__(cls, func, *args, **kwargs)

    def __setstate__(self, state: Any) -> None:
        """Refuse a state that would swap the wrapped layer for something else."""
        _require_layer(state[0])
        super().__setstate__(state)  # type: ignore[misc]


# What may be rebuilt beside layers: plain data without behaviour, vetted one by one.
_HARMLESS: dict[str, Any] = {
    "argparse.Namespace": argparse.Namespace,  # training arguments beside the weights
    "pathlib.PosixPath": pathlib.PurePosixPath,  # paths in training arguments; pure: cannot touch a file
    "pathlib._local.PosixPath": pathlib.PurePosixPath,
    "functools.partial": LayerFactory,
    "timm.layers.format.Format": timm.layers.Format,  # an enumeration: NCHW, NHWC ...
}


def read_pickle(path: Path, *, legacy: bool, trust: bool) -> Any:
    """Return what torch.save stored; `trust` runs whatever code the file asks for."""
    if trust:
        return _guarded(path, lambda: torch.load(path, map_location="cpu", weights_only=False))
    if legacy:
        return _guarded(path, lambda: torch.load(path, map_location="cpu", weights_only=True))
    allowed = _guarded(path, lambda: _allow(path))
    with safe_globals([(value, name) for name, value in allowed.items()]):
        return _guarded(path, lambda: torch.load(path, map_location="cpu", weights_only=True))


def _allow(path: Path) -> dict[str, Any]:
    """Return what this file may rebuild by the names it uses; raise if it asks for more."""
    wanted = sorted(get_unsafe_globals_in_checkpoint(path))
    layers = {name: layer for name in wanted if name not in _HARMLESS and (layer := find_layer(name))}
    refused = [name for name in wanted if name not in _HARMLESS and name not in layers]
    if refused:
        raise _refusal(path, refused)
    called = called_names(torch._C.PyTorchFileReader(str(path)).get_record("data.pkl"))
    if tricks := sorted(called & layers.keys()):
        raise ModelLoadError(
            "the checkpoint calls layers with arguments of its own, which no honest file does",
            where=f"{path}: {', '.join(tricks)}",
            remedy="Do not use this file unless you know its author; --trust would run it.",
        )
    return layers | {name: _HARMLESS[name] for name in wanted if name in _HARMLESS}


def find_layer(name: str) -> type[nn.Module] | None:
    """Return the layer class of this full name if an accepted package defines it, else None."""
    if not name.startswith(_LAYER_PACKAGES):
        return None
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except ImportError:
        return None
    if not isinstance(found, type) or not issubclass(found, nn.Module):
        return None
    return found if (found.__module__, found.__qualname__) == (module, attribute) else None


def _require_layer(func: Any) -> None:
    if not isinstance(func, type) or find_layer(f"{func.__module__}.{func.__qualname__}") is not func:
        raise TypeError(f"functools.partial of {func!r} is not allowed in a checkpoint")


def _refusal(path: Path, names: list[str]) -> ModelLoadError:
    modules = sorted({name.rpartition(".")[0] for name in names})
    return ModelLoadError(
        f"the checkpoint asks for code that is not on the list of safe types: {', '.join(names)}",
        where=str(path),
        remedy=(
            "Save the state dict instead and name the network with --arch; or, if you trust its author, allow it with "
            f"--trust (the module{'s' if len(modules) > 1 else ''} {', '.join(modules)} must be on PYTHONPATH)."
        ),
    )


def _guarded(path: Path, read: Callable[[], Any]) -> Any:
    """Turn every failure into an error that says what to do; hostile bytes can raise anything."""
    try:
        return read()
    except ModelLoadError:
        raise
    except (ModuleNotFoundError, AttributeError) as error:
        raise ModelLoadError(
            "the network's class cannot be imported",
            where=f"{path}: {error}",
            remedy="Put the folder of its source file on PYTHONPATH, or save a state dict and give --arch.",
        ) from error
    except Exception as error:
        reason = str(error).strip().splitlines()
        raise ModelLoadError(
            "the checkpoint cannot be read safely",
            where=f"{path}: {_shorten(reason[0] if reason else type(error).__name__)}",
            remedy="If it is complete and you trust its author, use --trust; else save it again with a current torch.",
        ) from error


def _shorten(text: str) -> str:
    return text if len(text) <= 240 else text[:240] + "..."
