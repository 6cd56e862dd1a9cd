"""What a condition can ever be: its alternatives as boxes of extents, for the checks of the rule base.

Only comparisons of one fact with a constant are understood; any other part stands for itself. So a condition that this
module calls impossible is impossible, and a region that it calls within another is within it; not every such case is
found. Two regions are said to meet unless their boxes exclude each other.
"""

import math
from dataclasses import dataclass
from itertools import product

from .expressions import MIRRORED, OPPOSITE, Expr, constant, member
from .extents import Extent, chosen, compared, legal
from .vocabulary import Vocabulary

MAX_ALTERNATIVES = 256
Part = tuple[str, bool]  # a part in one way of writing, and whether it holds
Literals = tuple[tuple[Expr, bool], ...]


@dataclass(frozen=True)
class Box:
    """One alternative: what it leaves of every fact that it limits, and the other parts with their sign."""

    extents: dict[str, Extent]
    parts: frozenset[Part]

    @property
    def possible(self) -> bool:
        """Whether some facts lie in it."""
        return not any(extent.empty for extent in self.extents.values()) and not any(
            (text, not sign) in self.parts for text, sign in self.parts
        )

    def meet(self, other: "Box") -> "Box":
        """Return what lies in both."""
        shared = {
            name: extent.meet(other.extents[name]) if name in other.extents else extent
            for name, extent in self.extents.items()
        }
        return Box(other.extents | shared, self.parts | other.parts)

    def within(self, other: "Box") -> bool:
        """Whether everything in it lies in the other."""
        limited = all(
            name in self.extents and self.extents[name].within(extent) for name, extent in other.extents.items()
        )
        return limited and all(part in self.parts or self._knows(part) for part in other.parts)

    def _knows(self, part: Part) -> bool:
        """Whether the part only asks that a fact be known which this box limits anyway."""
        text, sign = part
        return sign and any(text == f"known({name})" for name in self.extents)

    def only(self, prefixes: tuple[str, ...]) -> "Box":
        """Return what it says of facts whose names begin so."""
        kept = {name: extent for name, extent in self.extents.items() if name.startswith(prefixes)}
        return Box(kept, frozenset(part for part in self.parts if any(prefix in part[0] for prefix in prefixes)))


Region = tuple[Box, ...]


def alternatives(expr: Expr, positive: bool = True) -> tuple[Literals, ...] | None:
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
    if elements := _elements(expr):
        none_of = tuple((element, False) for element in elements)
        return (none_of,) if positive else tuple(((element, True),) for element in elements)
    return (((expr, positive),),)


def _elements(expr: Expr) -> tuple[Expr, ...]:
    """Return `disjoint` with fixed texts as one question per text, so that it compares with `in` and `has`."""
    if expr.operator != "disjoint":
        return ()
    fixed, other = sorted(expr.operands, key=lambda part: part.kind != "set")
    if fixed.kind != "set" or other.kind == "set":
        return ()
    texts = sorted(str(value) for value in fixed.value)
    return tuple(member(constant(v, "string", f"'{v}'"), other, False, f"'{v}' in {other.text}") for v in texts)


def region(expr: Expr, vocabulary: Vocabulary, positive: bool = True) -> Region | None:
    """Return the boxes in which a condition holds (or fails, with `positive` False); None where there are too many."""
    choices = alternatives(expr, positive)
    if choices is None:
        return None
    found = (_box(choice, vocabulary) for choice in choices)
    return tuple(box for box in found if box is not None and box.possible)


def can_hold(expr: Expr, vocabulary: Vocabulary, positive: bool = True) -> bool:
    """Whether some legal facts make the condition true (or false, with `positive` False)."""
    found = region(expr, vocabulary, positive)
    return found is None or bool(found)


def covers(outer: Region, inner: Region) -> bool:
    """Whether every box of `inner` lies within one of `outer`; an empty region is covered by none."""
    return bool(inner) and all(any(box.within(other) for other in outer) for box in inner)


def meeting(first: Region, second: Region) -> Region:
    """Return the boxes that lie in both."""
    joined = (box.meet(other) for box in first for other in second)
    return tuple(box for box in joined if box.possible)


def signature(expr: Expr) -> frozenset[frozenset[Part]]:
    """Return the condition without order and writing, so that equal conditions compare equal."""
    choices = alternatives(expr)
    if choices is None:
        return frozenset({frozenset({(expr.text, True)})})
    return frozenset(frozenset(_canonical(part, sign) for part, sign in choice) for choice in choices)


def _box(choice: Literals, vocabulary: Vocabulary) -> Box | None:
    """Collect literals in a box; None where one of them can never hold by itself."""
    extents: dict[str, Extent] = {}
    parts: set[Part] = set()
    for part, positive in choice:
        if part.is_constant:
            if bool(part.run({})) is not positive:
                return None
            continue
        limited = _limited(part, positive)
        if limited is None:
            parts.add(_canonical(part, positive))
            continue
        name, extent = limited
        extents[name] = extent.meet(extents.get(name) or legal(vocabulary[name]))
    return Box(extents, frozenset(parts))


def _limited(part: Expr, positive: bool) -> tuple[str, Extent] | None:
    """Return the fact that a literal limits and to what, if it compares one fact with constants."""
    if part.kind == "fact":
        return part.text, chosen(frozenset({True}), positive)
    if part.kind == "compare":
        left, symbol, right = _sides(part, positive)
        if left.kind == "fact" and right.kind == "constant":
            return left.text, compared(symbol, right.value)
    if part.kind == "member" and part.operands[0].kind == "fact" and part.operands[1].kind == "set":
        return part.operands[0].text, chosen(frozenset(part.operands[1].value), positive is (part.operator == "in"))
    return None


def _sides(part: Expr, positive: bool) -> tuple[Expr, str, Expr]:
    """Return a comparison with its constant on the right."""
    left, right = part.operands
    symbol = part.operator if positive else OPPOSITE[part.operator]
    return (right, MIRRORED[symbol], left) if left.is_constant else (left, symbol, right)


def _canonical(part: Expr, positive: bool) -> Part:
    if part.kind == "compare":
        left, symbol, right = _sides(part, positive)
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
