"""A change that would make another plan win, before it is confirmed."""

import math
from dataclasses import dataclass
from typing import Literal

Kind = Literal["limit", "fact", "goal", "device"]


@dataclass(frozen=True)
class Alternative:
    """A change as --what-if takes it, the value just short of it, what holds now in words, its size, who would win."""

    kind: Kind
    change: str
    short_of: str
    before: str
    size: float
    winner: int | None
    note: str = ""


def doublings(old: float, new: float) -> float | None:
    """Return how many times a number doubles or halves; None where one of them is not positive."""
    return abs(math.log2(new / old)) if old > 0 and new > 0 else None
