"""Units in conditions: facts of different units are neither compared nor added.

A product or a quotient may convert, so it has no unit here and fits everything; a number has none either.
"""

from collections.abc import Mapping

from .expressions import Expr
from .vocabulary import FactSpec

_ADDING = ("+", "-", "min", "max", "ceil_to")


def unit_of(expr: Expr, vocabulary: Mapping[str, FactSpec]) -> str:
    """Return the unit of an expression, empty where it has none."""
    if expr.kind == "fact":
        return vocabulary[expr.text].unit if expr.type == "number" else ""
    if expr.operator in _ADDING:
        return next((unit for part in expr.operands if (unit := unit_of(part, vocabulary))), "")
    return ""


def misfit(parts: tuple[Expr, ...], vocabulary: Mapping[str, FactSpec]) -> str:
    """Say which two of several numbers cannot be compared or added; empty if all can."""
    with_unit = [(part, unit) for part in parts if (unit := unit_of(part, vocabulary))]
    for part, unit in with_unit[1:]:
        if unit != with_unit[0][1]:
            return f"{with_unit[0][0].text} is in {with_unit[0][1]}, {part.text} in {unit}"
    return ""
