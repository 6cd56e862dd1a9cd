"""Which names a checkpoint may use, and what stands behind them: the allow-list that is built for each file.

Allowed are network layers - nn.Module subclasses that torch.nn, timm, torchvision or a package the user named define -
and a short table of harmless types and functions. A package's name alone allows nothing: each name is looked up and
checked. Layers that compile code from their state are refused wherever they come from.
"""

import argparse
import functools
import importlib
import types
from dataclasses import is_dataclass
from enum import Enum
from typing import Any

import torch
import torch.fx
from torch import nn

from .harmless import FUNCTIONS, TYPES
from .packages import defines_class

_LAYER_PACKAGES = (
    "torch.nn.modules.",
    "timm.models.",
    "timm.layers.",
    "torchvision.models.",
    "torchvision.ops.",
    "torch.ao.nn.quantized.modules.functional_modules.",  # sums and products of torchvision's quantizable networks
    "torch.ao.quantization.stubs.",  # marks where such a network would be quantized
)
# Their state holds code, or building them traces and compiles one.
_COMPILING = (torch.fx.GraphModule, torch.jit.ScriptModule)
_COMPILING_MODULES = ("timm.models._features_fx", "torchvision.models.feature_extraction")
_DATA_BASES = (Enum, types.SimpleNamespace, argparse.Namespace)
_OWN_BEHAVIOUR = ("__setstate__", "__reduce__", "__reduce_ex__", "__getattr__", "__setattr__", "__new__", "__del__")


class LayerFactory(functools.partial):  # type: ignore[type-arg]
    """A `functools.partial` from a checkpoint; it can wrap a layer class or a vetted function and nothing else."""

    def __new__(cls, func: Any, /, *args: Any, **kwargs: Any) -> "LayerFactory":
        """Refuse to wrap anything but a layer class or a vetted function."""
        _require_layer(func)
        return super().__new__(cls, func, *args, **kwargs)

    def __setstate__(self, state: Any) -> None:
        """Refuse a state that would swap the wrapped layer for something else, or that adds attributes."""
        _require_layer(state[0])
        if state[3]:
            raise TypeError("functools.partial with attributes of its own is not allowed in a checkpoint")
        super().__setstate__((*state[:3], None))  # type: ignore[misc]


def resolve(name: str, packages: tuple[str, ...] = ()) -> Any:
    """Return what a checkpoint gets for this name, or None if it may not have it."""
    if name == "functools.partial":
        return LayerFactory
    if name in TYPES or name in FUNCTIONS:
        return TYPES.get(name) or FUNCTIONS[name]
    return find_layer(name, packages) or _find_data(name, packages)


def find_layer(name: str, packages: tuple[str, ...] = ()) -> type[nn.Module] | None:
    """Return the layer class of this full name if an accepted package defines it, else None."""
    found = _find_class(name, packages)
    if found is None or not issubclass(found, nn.Module) or compiles_code(found):
        return None
    return found


def is_enumeration(found: Any) -> bool:
    """Tell whether this is an enumeration, which a checkpoint calls with a value to get one of its members."""
    return isinstance(found, type) and issubclass(found, Enum)


def compiles_code(layer: type) -> bool:
    """Tell whether a layer compiles code from its state."""
    return issubclass(layer, _COMPILING) or any(base.__module__ in _COMPILING_MODULES for base in layer.__mro__)


def _find_data(name: str, packages: tuple[str, ...]) -> type | None:
    """Return a class of plain data that a package of the user's defines: an enumeration, a namespace, a dataclass."""
    if not _within(name, packages):
        return None
    found = _find_class(name, packages)
    if found is None or not (issubclass(found, _DATA_BASES) or is_dataclass(found)):
        return None
    own = {key for base in found.__mro__ if base.__module__.partition(".")[0] in packages for key in vars(base)}
    return found if issubclass(found, Enum) or not own & set(_OWN_BEHAVIOUR) else None


def _find_class(name: str, packages: tuple[str, ...]) -> type | None:
    """Import the module only where its source says that it defines this class, so that no script is run."""
    module, _, attribute = name.rpartition(".")
    if not name.startswith(_LAYER_PACKAGES) and not _within(name, packages):
        return None
    if not defines_class(module, attribute):
        return None
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except Exception:  # importing may fail in any way; then the class is not there
        return None
    if not isinstance(found, type):
        return None
    return found if (found.__module__, found.__qualname__) == (module, attribute) else None


def _within(name: str, packages: tuple[str, ...]) -> bool:
    return name.partition(".")[0] in packages


def _require_layer(func: Any) -> None:
    harmless = any(func is value for value in FUNCTIONS.values())
    if not harmless and not (isinstance(func, type) and issubclass(func, nn.Module) and not compiles_code(func)):
        raise TypeError(f"functools.partial of {func!r} is not allowed in a checkpoint")
