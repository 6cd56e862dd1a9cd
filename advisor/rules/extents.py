"""What one fact may be under a condition: an interval, a set of values, or anything but some values."""

import math
from dataclasses import dataclass

from .vocabulary import FactSpec

Value = str | float | bool
_ANYTHING = frozenset[Value]()


@dataclass(frozen=True)
class Extent:
    """Numbers between two ends and values among or without a set; `among` None leaves them open."""

    low: float = -math.inf
    low_open: bool = False
    high: float = math.inf
    high_open: bool = False
    among: frozenset[Value] | None = None
    without: frozenset[Value] = _ANYTHING

    def admits(self, value: Value) -> bool:
        """Whether the fact may have this value."""
        if value in self.without or (self.among is not None and value not in self.among):
            return False
        return isinstance(value, str | bool) or self._between(value)

    def meet(self, other: "Extent") -> "Extent":
        """Return what both allow."""
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open))
        high, shut = min((self.high, not self.high_open), (other.high, not other.high_open))
        among = self.among if other.among is None else other.among if self.among is None else self.among & other.among
        return Extent(low, low_open, high, not shut, among, self.without | other.without)

    @property
    def empty(self) -> bool:
        """Whether no value is left."""
        if self.among is not None:
            return not any(self.admits(value) for value in self.among)
        if self.low == self.high:
            return self.low_open or self.high_open or self.low in self.without
        return self.low > self.high

    def within(self, other: "Extent") -> bool:
        """Whether the other allows every value that this one allows."""
        if self.among is not None:
            return all(other.admits(value) for value in self.among if self.admits(value))
        if other.among is not None or any(self.admits(value) for value in other.without):
            return False
        above = (self.low, self.low_open) >= (other.low, other.low_open)
        return above and (self.high, not self.high_open) <= (other.high, not other.high_open)

    def _between(self, value: float) -> bool:
        after = value > self.low or (value == self.low and not self.low_open)
        return after and (value < self.high or (value == self.high and not self.high_open))


def legal(spec: FactSpec) -> Extent:
    """Return what the vocabulary lets a fact be."""
    if spec.type == "bool":
        return Extent(among=frozenset({True, False}))
    if spec.type == "string" and spec.values:
        return Extent(among=frozenset(spec.values))
    return Extent(low=spec.bounds[0], high=spec.bounds[1]) if spec.bounds else Extent()


def compared(symbol: str, value: Value) -> Extent:
    """Return what a comparison with a constant leaves."""
    if symbol in ("==", "!="):
        return chosen(frozenset({value}), symbol == "==")
    bound = float(value)
    if symbol in (">", ">="):
        return Extent(low=bound, low_open=symbol == ">")
    return Extent(high=bound, high_open=symbol == "<")


def chosen(values: frozenset[Value], inside: bool) -> Extent:
    """Return what being among some values, or outside them, leaves."""
    return Extent(among=values) if inside else Extent(without=values)
