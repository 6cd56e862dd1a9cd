"""Numbers, texts and arithmetic of a condition in English."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .expressions import Expr
from .phrases import Phrases

_MEASURES = {
    "bytes": "bytes",
    "ms": "ms",
    "MB": "MB",
    "mJ": "mJ",
    "GB/s": "GB/s",
    "W": "W",
    "hours": "hours",
    "pp": "points",
}  # fmt: skip - counts need no unit behind the number: the name of the fact says what is counted
_SYMBOLS = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}
_WEAK = ("+", "-")
_BYTES = {"GB": 1e9, "MB": 1e6, "kB": 1e3}
_COUNTS = {"billion": 1e9, "million": 1e6}


@dataclass(frozen=True)
class Unit:
    """How a number is written: as a percentage, or with a measure behind it."""

    percent: bool = False
    measure: str = ""


PLAIN = Unit()


class Words:
    """Writes values with the words and units of the facts that they belong to."""

    def __init__(self, phrases: Phrases) -> None:
        self.phrases = phrases

    def unit(self, expr: Expr) -> Unit:
        """Return the unit that a number has; a factor has none."""
        if expr.kind == "fact":
            phrase = self.phrases[expr.text]
            return Unit(phrase.percent, "" if phrase.percent else _MEASURES.get(phrase.unit, ""))
        if expr.kind == "constant":
            return PLAIN
        if expr.operator == "ceil_to":
            return self.unit(expr.operands[0])
        if expr.operator == "/" and not expr.operands[1].is_constant:
            return PLAIN
        units = {self.unit(part) for part in expr.operands if not part.is_constant}
        if expr.operator == "*" and sum(not part.is_constant for part in expr.operands) > 1:
            return PLAIN
        return units.pop() if len(units) == 1 else PLAIN

    def quantity(self, expr: Expr, unit: Unit = PLAIN, about: Expr | None = None) -> str:
        """Write a number or text; a constant takes its unit and its words from what it is compared with."""
        if expr.kind == "fact":
            return self.phrases[expr.text].name
        if expr.kind == "constant":
            return self._value(expr.value, about, unit)
        if expr.kind == "arithmetic":
            return self._arithmetic(expr, unit)
        parts = [self.quantity(part, unit) for part in expr.operands]
        if expr.operator == "ceil_to":
            return f"{parts[0]} rounded up to a multiple of {self.quantity(expr.operands[1])}"
        which = "smallest" if expr.operator == "min" else "largest"
        return f"the {which} of {listed(parts, 'and')}"

    def elements(self, values: Iterable[Any], about: Expr, unit: Unit = PLAIN) -> tuple[str, ...]:
        """Write the elements of a set in a fixed order."""
        return tuple(self._value(value, about, unit) for value in sorted(values))

    def _value(self, value: Any, about: Expr | None, unit: Unit) -> str:
        if isinstance(value, str):
            words = self.phrases[about.text].values if about is not None and about.kind == "fact" else {}
            return words.get(value, value) or "empty"
        return _number(float(value), unit)

    def _arithmetic(self, expr: Expr, unit: Unit) -> str:
        left, right = expr.operands
        symbol = expr.operator
        if symbol == "*" and right.is_constant and not left.is_constant:
            left, right = right, left
        first, second = (
            self.quantity(side, unit if symbol in _WEAK else self.unit(side)) for side in (left, right)
        )  # a factor is a bare number
        if left.operator in _WEAK and symbol not in _WEAK:
            first = f"({first})"
        if right.kind == "arithmetic" and (symbol in ("-", "/") or (right.operator in _WEAK and symbol == "*")):
            second = f"({second})"
        return f"{first} {_SYMBOLS[symbol]} {second}"


def listed(parts: Sequence[str], word: str, comma: str = "") -> str:
    """Join 'a, b and c'; with `comma` also before the last word."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])}{comma if len(parts) > 2 else ''} {word} {parts[-1]}"


def _number(value: float, unit: Unit) -> str:
    """Write a number in full: rounding would state another condition."""
    if unit.percent:
        return f"{100 * value:.12g} %"
    if unit.measure == "bytes":
        return _short(value, _BYTES) or f"{_plain(value)} bytes"
    return f"{_short(value, _COUNTS) or _plain(value)} {unit.measure}".rstrip()


def _short(value: float, factors: Mapping[str, float]) -> str:
    """Write 20 million instead of 20,000,000 where that is as exact, else nothing."""
    for name, factor in factors.items():
        text = f"{value / factor:g}"
        if abs(value) >= factor and math.isclose(float(text) * factor, value, rel_tol=1e-12):
            return f"{text} {name}"
    return ""


def _plain(value: float) -> str:
    return f"{int(value):,}" if value.is_integer() and abs(value) < 1e15 else f"{value!r}"
