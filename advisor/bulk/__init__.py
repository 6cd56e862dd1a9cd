"""Predictions for whole tables: one row, one answer or one reason."""

from .predicting import Line, predict_rows
from .tables import predict_table, read_table, write_table

__all__ = ["Line", "predict_rows", "predict_table", "read_table", "write_table"]
