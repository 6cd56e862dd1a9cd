"""Carrying plans out: data, steps, recovery, measurement, and the run directory."""

from typing import TYPE_CHECKING

from advisor.lazy import lazily

if TYPE_CHECKING:
    from .apply import apply_plan
    from .data import data_facts
    from .pruned import load_pruned

__all__ = ["apply_plan", "data_facts", "load_pruned"]

_HOME = {"apply_plan": "apply", "data_facts": "data", "load_pruned": "pruned"}

__getattr__ = lazily(__name__, _HOME)  # `verify` reads and measures runs without carrying anything out
