"""Predict size, memory, latency, energy and accuracy of a plan, each with interval and origin. Decides nothing."""

from .engine import explain_absence, predict, predict_all
from .query import Answer, Predictor, Query
from .ratio import gain, predict_gain

__all__ = ["Answer", "Predictor", "Query", "explain_absence", "gain", "predict", "predict_all", "predict_gain"]
