"""Looking through what was built from a checkpoint: nothing in it may bring behaviour of its own.

Byte code can give an allowed layer any state. Hooks, methods that are replaced in the instance and containers that are
none would run later, when the network does; they are refused here, before anything is run.
"""

import inspect
import weakref
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterator
from enum import Enum
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

import torch
from torch import Tensor, nn

from advisor.errors import ModelLoadError

from .harmless import NUMBERS
from .pickle_values import Refused

_DEEPEST = 300  # containers and layers within each other; copying a network costs Python's stack per level
_ATOMS = (type(None), bool, int, float, complex, str, bytes, bytearray)
_TORCH_ATOMS = (torch.dtype, torch.device, torch.Size, torch.layout, torch.memory_format, torch.qscheme)
# Byte code cannot make weak references; recurrent layers make them to their own weights when they are filled.
_PLAIN = frozenset((*_ATOMS, *_TORCH_ATOMS, PurePosixPath, weakref.ReferenceType, *(n.type for n in NUMBERS)))
_CONTAINERS = frozenset((dict, OrderedDict, Counter, list, tuple, set))
_CHILDREN = {"_parameters": nn.Parameter, "_buffers": Tensor, "_modules": nn.Module}
_LEAVE = object()
_LAYER_NAMES = frozenset(dir(nn.Module()))


def check_contents(stored: Any, path: Path, allowed: Collection[int]) -> None:
    """Raise if anything reachable is not plain data, a tensor, or a layer as its class made it.

    `allowed` holds the ids of the classes and functions that this file may use.
    """
    trail: list[str] = []
    inside: list[int] = []  # the containers and layers that we are in, to notice one that holds itself
    seen: set[int] = set()
    pending: list[tuple[Any, Any]] = [("", stored)]
    try:
        while pending:
            name, value = pending.pop()
            if value is _LEAVE:
                trail.pop()
                inside.pop()
                continue
            if type(value) in _PLAIN:
                continue
            if id(value) in seen:
                if id(value) in inside and isinstance(value, (*_CONTAINERS, nn.Module)):
                    _check_cycle(name, value)
                continue
            seen.add(id(value))
            if len(trail) >= _DEEPEST:
                raise Refused(f"its contents are nested more than {_DEEPEST} levels deep")
            trail.append(str(name)[:80])
            inside.append(id(value))
            pending.append((None, _LEAVE))
            pending += list(_parts(value, allowed))
    except Refused as refused:
        place = ".".join(part for part in trail if part and part not in _CHILDREN)
        raise ModelLoadError(
            f"the checkpoint is refused: {refused}",
            where=f"{path}{f': {place[-200:]}' if place else ''}",
            remedy="Save the state dict, or the network without hooks and wrappers; --trust would run what it holds.",
        ) from refused


def _parts(value: Any, allowed: Collection[int]) -> Iterator[tuple[Any, Any]]:
    """Check one object and yield what it holds."""
    kind = type(value)
    if isinstance(value, Tensor):
        yield from _tensor_parts(value)
    elif kind in _CONTAINERS:
        yield from _container_parts(value)
    elif isinstance(value, nn.Module) and id(kind) in allowed:
        yield from _layer_parts(value)
    elif id(value) in allowed or (isinstance(value, Enum) and id(kind) in allowed):
        return
    elif id(kind) in allowed:
        yield from _data_parts(value)
    else:
        raise Refused(f"it holds an object of {kind.__module__}.{kind.__qualname__}")


def _tensor_parts(tensor: Tensor) -> Iterator[tuple[Any, Any]]:
    if type(tensor) not in (Tensor, nn.Parameter):
        raise Refused(f"it holds a tensor of the class {type(tensor).__qualname__}")
    if tensor._backward_hooks:
        raise Refused("a tensor carries hooks")
    yield from vars(tensor).items()


def _container_parts(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        if isinstance(value, OrderedDict | Counter) and vars(value).keys() - {"_metadata"}:
            raise Refused("a dictionary has attributes of its own")
        yield from value.items()
        yield from ((None, key) for key in value if type(key) not in _PLAIN)
        yield from getattr(value, "__dict__", {}).items()
    else:
        yield from ((None, item) for item in value if type(item) not in _PLAIN)


def _data_parts(value: Any) -> Iterator[tuple[Any, Any]]:
    """Go through a partial, a namespace or another class of plain data."""
    yield from ((None, getattr(value, part)) for part in ("func", "args", "keywords") if hasattr(type(value), part))
    for key, item in getattr(value, "__dict__", {}).items():
        _check_attribute(type(value), key)
        yield key, item


def _layer_parts(layer: nn.Module) -> Iterator[tuple[Any, Any]]:
    kind, state = type(layer), vars(layer)
    for key, item in state.items():
        _check_attribute(kind, key)
        if "hooks" in key and key.startswith("_") and item is not None and type(item) is not bool:
            _check_hooks(key, item, kind)
        if key == "_compiled_call_impl" and item is not None:
            raise Refused(f"a {kind.__qualname__} replaces how it is called")
        yield key, item
    for key, child in _CHILDREN.items():
        _check_children(kind, key, state, child)
    if type(state.get("training")) is not bool or type(state.get("_non_persistent_buffers_set")) is not set:
        raise Refused(f"a {kind.__qualname__} is incomplete")
    for key in ("_backward_hooks", "_forward_hooks"):
        if key not in state:  # a child of that name would be taken for it
            raise Refused(f"a {kind.__qualname__} is incomplete")


def _check_attribute(kind: type, key: Any) -> None:
    """Refuse an attribute of an instance that takes the place of something its class does."""
    if type(key) is not str or (key.startswith("__") and key.endswith("__")):
        raise Refused(f"a {kind.__qualname__} has an attribute that is no name")
    if _is_behaviour(kind, key):
        raise Refused(f"a {kind.__qualname__} replaces its own {key!r}")


@lru_cache(maxsize=100_000)
def _is_behaviour(kind: type, key: str) -> bool:
    """Tell whether the class has a method or a property of this name."""
    return hasattr(type(inspect.getattr_static(kind, key, None)), "__get__")


def _check_hooks(key: str, hooks: Any, kind: type) -> None:
    if type(hooks) not in (dict, OrderedDict) or hooks:
        raise Refused(f"a {kind.__qualname__} carries hooks ({key}), which would run with it")


def _check_children(kind: type, key: str, state: dict[str, Any], expected: type) -> None:
    children: Any = state.get(key)
    if type(children) not in (dict, OrderedDict):
        raise Refused(f"a {kind.__qualname__} is incomplete: it has no {key}")
    for name, child in children.items():
        if type(name) is not str or not name or "." in name or name in _LAYER_NAMES:
            raise Refused(f"a {kind.__qualname__} has a part with the impossible name {ascii(name)[:60]}")
        if name in state:
            raise Refused(f"a {kind.__qualname__} has two things called {name!r}")
        if child is not None and not isinstance(child, expected):
            raise Refused(f"a {kind.__qualname__} has {name!r} among its {key}, which is none")


def _check_cycle(name: Any, value: Any) -> None:
    """Refuse a container that holds itself, and a layer that is a part of itself."""
    if not isinstance(value, nn.Module):
        raise Refused("a container holds itself")
    raise Refused(f"a {type(value).__qualname__} is a part of itself ({name})")
