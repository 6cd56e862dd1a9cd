"""Finding the strongest setting of a plan that keeps within a limit of accuracy, within a budget of time."""

from .limit import verdict_on
from .search import Asked, NothingHolds, searching

__all__ = ["Asked", "NothingHolds", "searching", "verdict_on"]
