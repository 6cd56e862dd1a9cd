"""Opening models of every supported kind without running code that their files carry."""

from typing import TYPE_CHECKING

from advisor.lazy import lazily

if TYPE_CHECKING:
    from .model import LoadedModel
    from .opening import load
    from .preprocessing import Preprocessing

__all__ = ["LoadedModel", "Preprocessing", "load"]

_HOME = {"load": "opening", "LoadedModel": "model", "Preprocessing": "preprocessing"}

__getattr__ = lazily(__name__, _HOME)  # parts of this room need no torch
