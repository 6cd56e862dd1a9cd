"""Predictions for whole tables: one row, one answer or one reason."""

from .accuracy import AccuracyLine, predict_accuracies
from .predicting import Line, predict_rows
from .tables import predict_table, read_table, write_table

__all__ = [
    "AccuracyLine", "Line", "predict_accuracies", "predict_rows", "predict_table", "read_table", "write_table",
]  # fmt: skip
