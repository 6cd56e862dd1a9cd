"""Predict size, memory, latency, energy and accuracy of a plan, each with interval and origin. Decides nothing."""

from typing import TYPE_CHECKING

from advisor.lazy import lazily

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

__getattr__ = lazily(__name__, _HOME)  # `verify` judges predictions without making any
