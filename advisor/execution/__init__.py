"""Carrying plans out: data, steps, recovery, measurement, and the run directory."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .apply import apply_plan
    from .data import data_facts
    from .pruned import load_pruned

__all__ = ["apply_plan", "data_facts", "load_pruned"]

_HOME = {"apply_plan": "apply", "data_facts": "data", "load_pruned": "pruned"}


def __getattr__(name: str) -> Any:
    """Import what is asked for: `verify` reads and measures runs without carrying anything out."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
