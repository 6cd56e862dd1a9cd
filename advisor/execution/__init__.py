"""Carrying plans out: data, steps, recovery, measurement, and the run directory."""

from .apply import apply_plan
from .data import data_facts
from .pruned import load_pruned

__all__ = ["apply_plan", "data_facts", "load_pruned"]
