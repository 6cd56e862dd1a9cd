"""Rooms whose parts are imported when they are asked for, so that who needs one part does not wait for all."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazily(room: str, home: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package; `home` says in which of its modules a name stands."""

    def find(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        return getattr(import_module(f"{room}.{home[name]}"), name)

    return find
