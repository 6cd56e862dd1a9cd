"""Runs measured on the board they are for, and vendors' estimators that stand in for a board."""

from .judge import verify_measured
from .remote import Board, verify_on

__all__ = ["Board", "verify_measured", "verify_on"]
