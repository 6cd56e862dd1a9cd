"""A condition in English, for readers who do not know the language of rules.

Negations are moved to the facts they speak of, which keeps the meaning in three-valued logic too: `not (a and b)` reads
as `not a or not b`, `not x > 5` as `x is at most 5`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .expressions import MIRRORED, OPPOSITE, Expr
from .phrases import Phrases
from .quantities import PLAIN, Words, listed

_RELATIONS = {"<": "below ", "<=": "at most ", ">": "above ", ">=": "at least ", "==": "", "!=": "not "}


@dataclass(frozen=True)
class Clause:
    """A statement, or several of which all or any must hold."""

    text: str = ""
    join: Literal["", "all", "any"] = ""
    parts: tuple["Clause", ...] = ()


def in_words(expr: Expr, phrases: Phrases) -> str:
    """Write a condition as one sentence without its full stop, beginning in lower case."""
    return _sentence(clauses(expr, phrases), 0)


def points(expr: Expr, phrases: Phrases) -> tuple[str, ...]:
    """Write a condition as sentences that must all hold."""
    clause = clauses(expr, phrases)
    parts = clause.parts if clause.join == "all" else (clause,)
    return tuple(_sentence(part, 1 if len(parts) > 1 else 0) for part in parts)


def clauses(expr: Expr, phrases: Phrases) -> Clause:
    """Write a condition as statements nested like the condition itself."""
    return _Speaker(phrases).clause(expr, True)


def _sentence(clause: Clause, depth: int) -> str:
    if not clause.join:
        return clause.text
    word = "and" if clause.join == "all" else "or"
    parts = [_sentence(part, depth + 1) for part in clause.parts]
    if depth == 0:
        nested = any(part.join for part in clause.parts)
        return f"; {word} ".join(parts) if nested else listed(parts, word, ",")
    both = "both" if clause.join == "all" else "either"
    told = f"{both} {parts[0]} {word} {parts[1]}" if len(parts) == 2 else listed(parts, word, ",")
    return told if depth == 1 and len(parts) == 2 else f"({told})"


class _Speaker:
    """Turns the parts of a condition into statements; `positive` False states the opposite."""

    def __init__(self, phrases: Phrases) -> None:
        self.phrases, self.words = phrases, Words(phrases)

    def clause(self, expr: Expr, positive: bool) -> Clause:
        if expr.kind == "not":
            return self.clause(expr.operands[0], not positive)
        if expr.kind in ("and", "or"):
            join: Literal["all", "any"] = "all" if (expr.kind == "and") is positive else "any"
            parts = [self.clause(part, positive) for part in expr.operands]
            flat = [inner for part in parts for inner in (part.parts if part.join == join else (part,))]
            return Clause(join=join, parts=tuple(flat))
        if expr.kind == "compare" and expr.operands[0].type == "bool":
            return self._equivalence(expr, positive)
        return Clause(self._statement(expr, positive))

    def _statement(self, expr: Expr, positive: bool) -> str:
        match expr.kind:
            case "fact":
                phrase = self.phrases[expr.text]
                return phrase.if_true if positive else phrase.if_false
            case "constant":
                return "this always holds" if expr.value is positive else "this never holds"
            case "compare":
                return self._comparison(expr, positive)
            case "member":
                inside = positive is (expr.operator == "in")
                return self._membership(expr.operands[0], expr.operands[1], inside)
        if expr.operator == "has":
            return self._membership(expr.operands[1], expr.operands[0], positive)
        if expr.operator == "disjoint":
            return self._overlap(expr.operands, positive)
        return self._known(expr.operands[0], "known" if positive else "not known")

    def _known(self, fact: Expr, known: str) -> str:
        phrase = self.phrases[fact.text]
        return f"it is {known} whether {phrase.if_true}" if fact.type == "bool" else f"{phrase.name} is {known}"

    def _equivalence(self, expr: Expr, positive: bool) -> Clause:
        """Compare two conditions: with a constant it is the other one or its opposite."""
        same = positive is (expr.operator == "==")
        left, right = expr.operands
        if left.kind == "constant":
            left, right = right, left
        if right.kind == "constant":
            return self.clause(left, bool(right.value) is same)
        first, second = (_sentence(self.clause(side, True), 1) for side in (left, right))
        return Clause(f"{first} {'exactly when' if same else 'or else, but not at once,'} {second}")

    def _comparison(self, expr: Expr, positive: bool) -> str:
        left, right = expr.operands
        symbol = expr.operator if positive else OPPOSITE[expr.operator]
        if left.is_constant and not right.is_constant:
            left, right, symbol = right, left, MIRRORED[symbol]
        if (multiple := _rounded(left, right)) and symbol in ("==", "!="):
            value, step = multiple
            said = f"a multiple of {self.words.quantity(step)}"
            return f"{self.words.quantity(value)} is {_RELATIONS[symbol]}{said}"
        if left.type == "string" and right.kind == "constant":
            return self._being(left, (self.words.quantity(right, about=left),), symbol == "==")
        if left.type == "string":
            same = "is the same as" if symbol == "==" else "differs from"
            return f"{self.words.quantity(left)} {same} {self.words.quantity(right)}"
        unit = self.words.unit(left)
        return f"{self.words.quantity(left, unit)} is {_RELATIONS[symbol]}{self.words.quantity(right, unit)}"

    def _membership(self, element: Expr, container: Expr, inside: bool) -> str:
        if container.kind == "set":
            unit = self.words.unit(element) if element.type == "number" else PLAIN
            return self._being(element, self.words.elements(container.value, element, unit), inside)
        phrase = self.phrases[container.text]
        if element.kind == "fact":
            return f"{self.words.quantity(element)} is {'' if inside else 'not '}in {phrase.name}"
        return (phrase.having if inside else phrase.lacking).format(self.words.quantity(element, about=container))

    def _being(self, value: Expr, said: Sequence[str], inside: bool) -> str:
        """State that a value is one of several, or none of them."""
        if value.kind == "fact":
            being, not_being = self.phrases[value.text].being, self.phrases[value.text].not_being
        else:
            name = self.words.quantity(value, self.words.unit(value) if value.type == "number" else PLAIN)
            being, not_being = f"{name} is {{}}", f"{name} is not {{}}"
        if inside or len(said) == 1:
            return (being if inside else not_being).format(listed(said, "or"))
        return being.format(f"neither {said[0]} nor {said[1]}" if len(said) == 2 else f"none of {listed(said, 'and')}")

    def _overlap(self, sets: Sequence[Expr], disjoint: bool) -> str:
        first, second = sets
        if first.kind == "set":
            first, second = second, first
        if first.kind == "set" or second.kind != "set":
            names = (self._name(first), self._name(second))
            return f"{names[0]} and {names[1]} have {'nothing' if disjoint else 'something'} in common"
        phrase, said = self.phrases[first.text], self.words.elements(second.value, first)
        if len(said) == 1:
            return (phrase.lacking if disjoint else phrase.having).format(said[0])
        return phrase.having.format(f"none of {listed(said, 'and')}" if disjoint else listed(said, "or"))

    def _name(self, container: Expr) -> str:
        if container.kind == "fact":
            return self.phrases[container.text].name
        return f"the set of {listed(self.words.elements(container.value, container), 'and')}"


def _rounded(left: Expr, right: Expr) -> tuple[Expr, Expr] | None:
    """Return value and step where the two sides say that a value is a multiple of a step."""
    for rounded, plain in ((left, right), (right, left)):
        if rounded.operator == "ceil_to" and rounded.operands[0].text == plain.text:
            return rounded.operands[0], rounded.operands[1]
    return None
