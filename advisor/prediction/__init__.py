"""Predict size, memory, latency, energy and accuracy of a plan, each with interval and origin. Decides nothing."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .engine import explain_absence, predict, predict_all
    from .query import Answer, Predictor, Query
    from .ratio import gain, predict_gain

__all__ = ["Answer", "Predictor", "Query", "explain_absence", "gain", "predict", "predict_all", "predict_gain"]

_HOME = {
    "explain_absence": "engine", "predict": "engine", "predict_all": "engine",
    "Answer": "query", "Predictor": "query", "Query": "query",
    "gain": "ratio", "predict_gain": "ratio",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import what is asked for: `verify` judges predictions without making any."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
