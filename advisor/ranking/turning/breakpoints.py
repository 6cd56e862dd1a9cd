"""Where rules change their minds: the values of a fact at which some condition turns, computed from the conditions."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from advisor.rules import RuleBase
from advisor.rules.expressions import Expr, texts_of
from advisor.rules.vocabulary import FactSpec

_COUNTED = ("images", "classes", "parameters", "channels", "layers", "operations", "inputs", "pixels", "MACs")
_STEP = 1e-6  # how far beyond a threshold the other side is tried, relative to it
_STRAIGHT = 1e-9  # largest relative error of a root before the condition counts as bent


def conditions(base: RuleBase, rules: Iterable[str]) -> tuple[Expr, ...]:
    """Return the parts of these rules' conditions and demands that do not split further."""
    entries = [base.get(rule) for rule in rules]
    wholes = [expr for entry in entries for expr in (entry.when, entry.demand) if expr is not None]
    return tuple(part for whole in wholes for part in _leaves(whole))


def _leaves(expr: Expr) -> Iterator[Expr]:
    if expr.kind in ("and", "or", "not"):
        for part in expr.operands:
            yield from _leaves(part)
    else:
        yield expr


def thresholds(name: str, parts: Iterable[Expr], situations: Sequence[Mapping[str, Any]]) -> tuple[float, ...]:
    """Return the numbers at which a comparison of the fact turns, the other facts being those of each situation."""
    found: set[float] = set()
    for part in parts:
        if name not in part.names:
            continue
        if part.kind == "compare":
            found |= _roots(name, part, situations)
        elif part.kind == "member":
            found |= {float(v) for v in part.operands[1].value or () if not isinstance(v, str)}
    return tuple(sorted(found))


def _roots(name: str, part: Expr, situations: Sequence[Mapping[str, Any]]) -> set[float]:
    left, right = part.operands
    for fact, other in ((left, right), (right, left)):
        if fact.kind == "fact" and fact.text == name and other.kind == "constant":
            return {float(other.value)}
    around = part.names
    distinct = {tuple(facts.get(n) for n in around if n != name): facts for facts in situations}
    roots = (_root(name, part, facts) for facts in distinct.values())
    return {root for root in roots if root is not None}


def _root(name: str, part: Expr, facts: Mapping[str, Any]) -> float | None:
    """Solve left = right for the fact where both sides are straight lines in it; None where they are not."""
    left, right = (operand.run for operand in part.operands)

    def gap(value: float) -> float | None:
        changed = {**facts, name: value}
        a, b = left(changed), right(changed)
        return None if a is None or b is None else float(a - b)

    scale = abs(float(facts.get(name) or 0.0)) or 1.0
    at_zero, at_scale = gap(0.0), gap(scale)
    if at_zero is None or at_scale is None or at_zero == at_scale:
        return None
    root = at_zero * scale / (at_zero - at_scale)
    rest = gap(root)
    straight = rest is not None and abs(rest) <= _STRAIGHT * max(abs(at_zero), abs(at_scale), 1.0)
    return root if straight and math.isfinite(root) else None


def numbers(spec: FactSpec, present: float | None, found: Sequence[float]) -> tuple[tuple[float, ...], ...]:
    """Return the values worth trying below and above the present one, the nearest first in both.

    Each threshold is tried itself and just beyond it; what lies before it is tried beyond the one before. Where the
    present value is not known, all are above.
    """
    whole = isinstance(present, int) or (present is None and spec.unit in _COUNTED)
    start = -math.inf if present is None else present
    below = [v for t in found if t <= start for v in _beyond(t, -1, whole)]
    above = [v for t in found if t >= start for v in _beyond(t, 1, whole)]
    if present is None and above:
        above.append(_beyond(min(found), -1, whole)[-1])
    legal = [sorted({v for v in side if not spec.complaint(v) and v >= 0 and v != present}) for side in (below, above)]
    return tuple(reversed(legal[0])), tuple(legal[1])


def _beyond(threshold: float, direction: int, whole: bool) -> tuple[float, ...]:
    """Return a threshold and the next value in a direction; counts stay whole."""
    if not whole:
        return threshold, threshold + direction * _STEP * (abs(threshold) or 1.0)
    at = math.ceil(threshold) if direction > 0 else math.floor(threshold)
    return at, at + direction


def names(spec: FactSpec, parts: Iterable[Expr]) -> tuple[str, ...]:
    """Return the texts that conditions compare a fact with, or look for in a set, those that are legal."""
    found: set[str] = set()
    for part in parts:
        if spec.name in part.names:
            found |= {text for operand in part.operands for text in texts_of(operand)}
    return tuple(sorted(text for text in found if not spec.values or text in spec.values))


def others(spec: FactSpec, present: Any, parts: Sequence[Expr]) -> tuple[Any, ...]:
    """Return the values worth trying of a fact that is no number: yes and no, names, one element more or less."""
    if spec.type == "bool":
        return tuple(value for value in (True, False) if value is not present)
    mentioned = names(spec, parts)
    if spec.type == "string":
        unmentioned = next((v for v in spec.values if v not in mentioned), None)
        rest = (unmentioned,) if unmentioned is not None and (present is None or present in mentioned) else ()
        return tuple(v for v in (*mentioned, *rest) if v != present)
    if present is None:
        return (frozenset(), *(frozenset({name}) for name in mentioned))
    held = frozenset(present)
    return tuple(held ^ {name} for name in mentioned)
