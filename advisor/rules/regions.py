"""What a condition can ever be: its alternatives as boxes of intervals and value sets, for the linter.

Only comparisons of one fact with a constant are understood; any other part stands for itself, so a condition that this
module calls impossible is impossible, but not every impossible condition is found.
"""

import math
from dataclasses import dataclass, field
from itertools import product

from .expressions import MIRRORED, OPPOSITE, Expr
from .vocabulary import FactSpec, Vocabulary

MAX_ALTERNATIVES = 256
Literal_ = tuple[Expr, bool]  # a part and whether it must be true


@dataclass
class Box:
    """Numbers between two bounds, values still possible, values excluded, and opaque parts with their sign."""

    low: dict[str, tuple[float, bool]] = field(default_factory=dict)  # bound, and whether it is excluded
    high: dict[str, tuple[float, bool]] = field(default_factory=dict)
    among: dict[str, frozenset[str | float | bool]] = field(default_factory=dict)
    without: dict[str, frozenset[str | float | bool]] = field(default_factory=dict)
    parts: set[tuple[str, bool]] = field(default_factory=set)


def alternatives(expr: Expr, positive: bool = True) -> tuple[tuple[Literal_, ...], ...] | None:
    """Write a condition as alternatives of literals (its disjunctive form); None where there are too many."""
    if expr.kind == "not":
        return alternatives(expr.operands[0], not positive)
    if expr.kind in ("and", "or"):
        parts = [alternatives(part, positive) for part in expr.operands]
        if any(part is None for part in parts):
            return None
        known = [part for part in parts if part is not None]
        if (expr.kind == "or") is positive:
            joined = tuple(choice for part in known for choice in part)
        else:
            if math.prod(len(part) for part in known) > MAX_ALTERNATIVES:
                return None
            joined = tuple(tuple(literal for piece in pieces for literal in piece) for pieces in product(*known))
        return joined if len(joined) <= MAX_ALTERNATIVES else None
    return (((expr, positive),),)


def can_hold(expr: Expr, vocabulary: Vocabulary, positive: bool = True) -> bool:
    """Whether some legal facts make the condition true (or false, with `positive` False)."""
    choices = alternatives(expr, positive)
    return choices is None or any(_possible(choice, vocabulary) for choice in choices)


def signature(expr: Expr) -> frozenset[frozenset[tuple[str, bool]]]:
    """Return the condition without order and writing, so that equal conditions compare equal."""
    choices = alternatives(expr)
    if choices is None:
        return frozenset({frozenset({(expr.text, True)})})
    return frozenset(frozenset(_canonical(part, sign) for part, sign in choice) for choice in choices)


def _canonical(part: Expr, positive: bool) -> tuple[str, bool]:
    if part.kind == "compare":
        symbol = part.operator if positive else OPPOSITE[part.operator]
        left, right = part.operands
        if left.is_constant:
            left, right, symbol = right, left, MIRRORED[symbol]
        return f"{left.text} {symbol} {right.value if right.kind == 'constant' else right.text}", True
    if part.kind == "member" and part.operands[1].kind == "set":
        inside = positive is (part.operator == "in")
        return f"{part.operands[0].text} in {sorted(part.operands[1].value)}", inside
    if part.operator in ("in", "not in", "has"):
        container, element = part.operands if part.operator == "has" else reversed(part.operands)
        return f"{element.value if element.is_constant else element.text} in {container.text}", positive is (
            part.operator != "not in"
        )
    return part.text, positive


def _possible(choice: tuple[Literal_, ...], vocabulary: Vocabulary) -> bool:
    box = Box()
    return all(_add(box, part, positive, vocabulary) for part, positive in choice) and _consistent(box, vocabulary)


def _add(box: Box, part: Expr, positive: bool, vocabulary: Vocabulary) -> bool:
    """Put one literal into the box; False where it can never hold by itself."""
    if part.is_constant:
        return bool(part.run({})) is positive
    text, sign = _canonical(part, positive)
    if (text, not sign) in box.parts:
        return False
    box.parts.add((text, sign))
    if part.kind == "compare":
        left, right = part.operands
        symbol = part.operator if positive else OPPOSITE[part.operator]
        if left.kind == "constant":
            left, right, symbol = right, left, MIRRORED[symbol]
        if left.kind == "fact" and right.kind == "constant":
            _limit(box, left.text, symbol, right.value)
    elif part.kind == "member" and part.operands[0].kind == "fact" and part.operands[1].kind == "set":
        inside = positive is (part.operator == "in")
        _choose(box, part.operands[0].text, frozenset(part.operands[1].value), inside)
    elif part.kind == "fact":
        _choose(box, part.text, frozenset({True}), positive)
    return True


def _limit(box: Box, name: str, symbol: str, value: float | str | bool) -> None:
    if symbol in ("==", "!="):
        _choose(box, name, frozenset({value}), symbol == "==")
        return
    bound, excluded = float(value), symbol in ("<", ">")
    if symbol in (">", ">="):
        box.low[name] = max(box.low.get(name, (-math.inf, False)), (bound, excluded))
    else:
        old = box.high.get(name, (math.inf, False))
        box.high[name] = min(old, (bound, excluded), key=lambda b: (b[0], not b[1]))


def _choose(box: Box, name: str, values: frozenset[str | float | bool], inside: bool) -> None:
    if inside:
        box.among[name] = box.among[name] & values if name in box.among else values
    else:
        box.without[name] = box.without.get(name, frozenset()) | values


def _consistent(box: Box, vocabulary: Vocabulary) -> bool:
    return all(_fact_possible(box, vocabulary[name]) for name in {*box.low, *box.high, *box.among, *box.without})


def _fact_possible(box: Box, spec: FactSpec) -> bool:
    name = spec.name
    (low, low_open), (high, high_open) = box.low.get(name, (-math.inf, False)), box.high.get(name, (math.inf, False))
    if spec.bounds:
        low, low_open = max((low, low_open), (spec.bounds[0], False))
        high, high_open = min((high, high_open), (spec.bounds[1], False), key=lambda b: (b[0], not b[1]))
    if low > high or (low == high and (low_open or high_open)):
        return False
    legal: frozenset[str | float | bool] | None = None
    if spec.type == "bool":
        legal = frozenset({True, False})
    elif spec.type == "string" and spec.values:
        legal = frozenset(spec.values)
    chosen = box.among.get(name, legal)
    if chosen is None:
        return True
    left = chosen - box.without.get(name, frozenset())
    if spec.type == "number":
        left = frozenset(v for v in left if _inside(float(v), low, low_open, high, high_open))
    return bool(left)


def _inside(value: float, low: float, low_open: bool, high: float, high_open: bool) -> bool:
    return low <= value <= high and not (value == low and low_open) and not (value == high and high_open)
