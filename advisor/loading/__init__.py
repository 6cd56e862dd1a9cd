"""Opening models of every supported kind without running code that their files carry."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .model import LoadedModel
    from .opening import load
    from .preprocessing import Preprocessing

__all__ = ["LoadedModel", "Preprocessing", "load"]

_HOME = {"load": "opening", "LoadedModel": "model", "Preprocessing": "preprocessing"}


def __getattr__(name: str) -> Any:
    """Import what is asked for: parts of this room need no torch."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
