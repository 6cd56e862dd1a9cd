"""Predictions held against measurements."""

from .verdicts import verdicts
from .verify import verify_run

__all__ = ["verdicts", "verify_run"]
