"""A change that would make another plan win, before it is confirmed, and the numbers that it is written with."""

import math
from collections.abc import Iterator
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


def rounded_away(value: float, short_of: float, *, decimals: bool = False) -> Iterator[float]:
    """Yield a number in two to five digits, the fewest first, rounded away from what it must not reach.

    `decimals` counts the digits behind the point instead of the leading ones.
    """
    for digits in (2, 3, 4, 5):
        ahead = 1 if decimals or value <= 0 else 1 + math.floor(math.log10(value))
        factor = 10.0 ** (digits - ahead)
        yield (math.ceil(value * factor) if value > short_of else math.floor(value * factor)) / factor
