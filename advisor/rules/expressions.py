"""Typed expressions and their evaluation in three-valued logic. Parsing is in `parse`, explaining in `traces`.

Values are bool, number, text or a set of them; None stands for unknown. Kleene's tables hold: a false part makes an
`and` false and a true part an `or` true whatever the others are; otherwise an unknown part makes the whole unknown.
Arithmetic with an unknown part is unknown, and so is a division by zero.
"""

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .vocabulary import FactType

Facts = Mapping[str, Any]
Run = Callable[[Facts], Any]
Kind = Literal["fact", "constant", "set", "arithmetic", "call", "compare", "member", "not", "and", "or"]

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
}  # fmt: skip


@dataclass(frozen=True)
class Expr:
    """A typed expression. `run` evaluates it quickly; `names` are the facts it reads, in order of appearance."""

    kind: Kind
    type: FactType
    text: str
    run: Run = field(repr=False, compare=False)
    names: tuple[str, ...] = ()
    operator: str = ""
    operands: tuple["Expr", ...] = ()
    value: Any = None

    def __hash__(self) -> int:
        """Hash the text, which is known already; expressions are keys in many places."""
        return hash(self.text)

    @property
    def is_constant(self) -> bool:
        """Whether no fact is read."""
        return not self.names


def is_missing(name: str, facts: Facts) -> bool:
    """Whether a fact is unknown: absent, None or not-a-number."""
    value = facts.get(name)
    return bool(value is None or value != value)  # noqa: PLR0124 - NaN differs from itself


def texts_of(expr: Expr) -> frozenset[str]:
    """Return the texts that a constant or a set holds."""
    values = expr.value if expr.kind == "set" else (expr.value,) if expr.kind == "constant" else ()
    return frozenset(value for value in values if isinstance(value, str))


def fact(name: str, kind: FactType) -> Expr:
    """Read a fact; None and not-a-number are unknown."""

    def run(facts: Facts) -> Any:
        value = facts.get(name)
        return None if value is None or value != value else value  # noqa: PLR0124 - NaN differs from itself

    return Expr("fact", kind, name, run, (name,))


def constant(value: bool | float | str, kind: FactType, text: str) -> Expr:
    """Give a fixed value."""
    return Expr("constant", kind, text, lambda _: value, value=value)


def set_of(values: frozenset[Any], text: str) -> Expr:
    """Give a fixed set of texts or numbers."""
    return Expr("set", "set", text, lambda _: values, value=values)


def arithmetic(symbol: str, left: Expr, right: Expr, text: str) -> Expr:
    """Combine two numbers; an undefined or overflowing result is unknown."""
    combine, first, second = ARITHMETIC[symbol], left.run, right.run

    def run(facts: Facts) -> Any:
        a, b = first(facts), second(facts)
        if a is None or b is None:
            return None
        return _number(combine, a, b)

    return Expr("arithmetic", "number", text, run, _names(left, right), symbol, (left, right))


def compare(symbol: str, left: Expr, right: Expr, text: str) -> Expr:
    """Compare two values of the same type."""
    test, first, second = COMPARISONS[symbol], left.run, right.run

    def run(facts: Facts) -> Any:
        a, b = first(facts), second(facts)
        return None if a is None or b is None else test(a, b)

    simple = left.kind == "fact" and right.kind == "constant"
    quick = _compared(left.text, test, right.value) if simple else run
    return Expr("compare", "bool", text, quick, _names(left, right), symbol, (left, right))


def member(element: Expr, container: Expr, negated: bool, text: str) -> Expr:
    """Ask whether an element is in a set."""
    first, second = element.run, container.run

    def run(facts: Facts) -> Any:
        a, b = first(facts), second(facts)
        return None if a is None or b is None else (a in b) is not negated

    simple = container.kind == "fact" and element.kind == "constant"
    quick = _held(container.text, element.value, negated) if simple else run
    symbol = "not in" if negated else "in"
    return Expr("member", "bool", text, quick, _names(element, container), symbol, (element, container))


def _compared(name: str, test: Callable[[Any, Any], bool], bound: Any) -> Run:
    """Compare a fact with a constant, as most comparisons do, in one step."""

    def run(facts: Facts) -> Any:
        value = facts.get(name)
        return None if value is None or value != value else test(value, bound)  # noqa: PLR0124 - NaN differs from itself

    return run


def _held(name: str, element: Any, negated: bool) -> Run:
    """Ask for a constant in a fact in one step."""

    def run(facts: Facts) -> Any:
        value = facts.get(name)
        return None if value is None else (element in value) is not negated

    return run


def negation(part: Expr, text: str) -> Expr:
    """Turn true into false; unknown stays unknown."""
    inner = part.run

    def run(facts: Facts) -> Any:
        value = inner(facts)
        return None if value is None else not value

    return Expr("not", "bool", text, run, part.names, "not", (part,))


def junction(kind: Literal["and", "or"], parts: tuple[Expr, ...], text: str) -> Expr:
    """Join conditions; the deciding value of `and` is false, of `or` true."""
    runs, decides = tuple(part.run for part in parts), kind == "or"

    def run(facts: Facts) -> Any:
        unknown = False
        for inner in runs:
            value = inner(facts)
            if value is None:
                unknown = True
            elif value is decides:
                return decides
        return None if unknown else not decides

    return Expr(kind, "bool", text, run, _names(*parts), kind, parts)


def call(name: str, arguments: tuple[Expr, ...], text: str) -> Expr:
    """Apply one of the closed set of functions; only `known` sees unknown arguments."""
    result, names = FUNCTIONS[name].result, _names(*arguments)
    if name == "known":
        read = arguments[0].run
        return Expr("call", result, text, lambda facts: read(facts) is not None, names, name, arguments)
    apply, runs = FUNCTIONS[name].apply, tuple(argument.run for argument in arguments)

    def run(facts: Facts) -> Any:
        values = [inner(facts) for inner in runs]
        return None if None in values else apply(*values)

    return Expr("call", result, text, run, names, name, arguments)


@dataclass(frozen=True)
class Function:
    """A function of the language: `arguments` are the types, the last repeats where `variadic`."""

    arguments: tuple[FactType, ...]
    result: FactType
    apply: Callable[..., Any]
    variadic: bool = False


def _ceil_to(value: float, step: float) -> float | None:
    """Round up to a multiple; without a positive step there is none."""
    if step <= 0:
        return None
    parts = _number(operator.truediv, value, step)
    return None if parts is None or not math.isfinite(parts) else math.ceil(parts) * step


def _number(combine: Callable[[float, float], float], a: float, b: float) -> float | None:
    try:
        result = combine(a, b)
    except (ZeroDivisionError, OverflowError):
        return None
    return None if result != result else result  # noqa: PLR0124 - NaN differs from itself


FUNCTIONS: dict[str, Function] = {
    "ceil_to": Function(("number", "number"), "number", _ceil_to),
    "min": Function(("number", "number"), "number", min, variadic=True),
    "max": Function(("number", "number"), "number", max, variadic=True),
    "has": Function(("set", "string"), "bool", lambda container, element: element in container),
    "disjoint": Function(("set", "set"), "bool", lambda a, b: not set(a) & set(b)),
    "known": Function(("bool",), "bool", bool),
}


def _names(*parts: Expr) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for part in parts for name in part.names))
