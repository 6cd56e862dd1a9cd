"""Why an expression is true, false or unknown: the tree of its parts with the values that decided."""

import re
from collections.abc import Hashable, Mapping
from functools import lru_cache
from typing import Any

from advisor.schema import TraceNode, Truth

from .expressions import MIRRORED, OPPOSITE, Expr, Facts, is_missing
from .vocabulary import FactSpec
from .wording import show

_TOKEN = re.compile(r"""('[^']*'|"[^"]*")|([a-z]+\.[a-z][a-z0-9_]*)""")

_NEGATED = {Truth.TRUE: Truth.FALSE, Truth.FALSE: Truth.TRUE, Truth.UNKNOWN: Truth.UNKNOWN}


def truth_of(value: Any) -> Truth:
    """Name a three-valued result."""
    return Truth.UNKNOWN if value is None else Truth.TRUE if value else Truth.FALSE


def trace(expr: Expr, facts: Facts, vocabulary: Mapping[str, FactSpec], wanted: bool = True) -> TraceNode:
    """Explain a condition; comparisons that stand against the outcome `wanted` say what would turn them."""
    if expr.kind in ("and", "or"):
        children = tuple(trace(part, facts, vocabulary, wanted) for part in expr.operands)
        return _joint(expr, facts, vocabulary, children, _joined([child.truth for child in children], expr.kind))
    if expr.kind == "not":
        child = trace(expr.operands[0], facts, vocabulary, not wanted)
        return _joint(expr, facts, vocabulary, (child,), _NEGATED[child.truth])
    if len(expr.names) == 1 and isinstance(given := facts.get(expr.names[0]), Hashable):
        return _of_one_fact(expr, given, vocabulary.get(expr.names[0]), wanted)
    return _leaf(expr, facts, vocabulary, wanted)


@lru_cache(maxsize=8192, typed=True)
def _of_one_fact(expr: Expr, value: Any, spec: FactSpec | None, wanted: bool) -> TraceNode:
    """Explain a question to one fact; plans and rules ask the same ones of the same values."""
    name = expr.names[0]
    return _leaf(expr, {name: value}, {} if spec is None else {name: spec}, wanted)


def _leaf(expr: Expr, facts: Facts, vocabulary: Mapping[str, FactSpec], wanted: bool) -> TraceNode:
    value = expr.run(facts)
    turn = "" if value is None or value is wanted else _turn(expr, facts, vocabulary, wanted)
    missing = needs(expr, facts) if value is None else ()
    return _node(expr, facts, vocabulary, truth_of(value), missing, turn)


def _joint(
    expr: Expr, facts: Facts, vocabulary: Mapping[str, FactSpec], children: tuple[TraceNode, ...], truth: Truth
) -> TraceNode:
    """Make the node above others; it needs what the unknown ones among them need."""
    missing: tuple[str, ...] = ()
    if truth is Truth.UNKNOWN:
        missing = tuple(dict.fromkeys(name for child in children for name in child.needs))
    return _node(expr, facts, vocabulary, truth, missing, "", children)


def _joined(truths: list[Truth], kind: str) -> Truth:
    decides = Truth.FALSE if kind == "and" else Truth.TRUE
    return decides if decides in truths else Truth.UNKNOWN if Truth.UNKNOWN in truths else _NEGATED[decides]


def _node(
    expr: Expr,
    facts: Facts,
    vocabulary: Mapping[str, FactSpec],
    truth: Truth,
    missing: tuple[str, ...],
    turn: str,
    children: tuple[TraceNode, ...] = (),
) -> TraceNode:
    return TraceNode.model_construct(
        text=expr.text,
        shown=shown(expr.text, facts, vocabulary),
        truth=truth,
        needs=missing,
        passes_if=turn,
        children=children,
    )


def needs(expr: Expr, facts: Facts) -> tuple[str, ...]:
    """List the missing facts that keep an unknown condition unknown; parts already decided need nothing."""
    if expr.kind not in ("and", "or", "not"):
        return tuple(name for name in expr.names if is_missing(name, facts))
    parts = [part for part in expr.operands if part.run(facts) is None]
    return tuple(dict.fromkeys(name for part in parts for name in needs(part, facts)))


def shown(text: str, facts: Facts, vocabulary: Mapping[str, FactSpec]) -> str:
    """Write the value of every fact behind its name: 'model.dw_mac_share (0.07) > 0.05'."""
    fixed, names = _pieces(text)
    words = [fixed[0]]
    for name, after in zip(names, fixed[1:], strict=True):
        spec = vocabulary.get(name)
        words += (f"{name} ({show(facts.get(name), spec.unit if spec else '')})", after)
    return "".join(words)


@lru_cache(maxsize=8192)
def _pieces(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split a text into what stays and the facts between."""
    fixed, names, start = [], [], 0
    for match in _TOKEN.finditer(text):
        if match[2]:
            fixed.append(text[start : match.start()])
            names.append(match[2])
            start = match.end()
    return (*fixed, text[start:]), tuple(names)


def _turn(expr: Expr, facts: Facts, vocabulary: Mapping[str, FactSpec], wanted: bool) -> str:
    """Say which value would turn a decided comparison, relative to its left side unless that is a constant."""
    if expr.kind == "compare":
        left, right = expr.operands
        symbol = expr.operator if wanted else OPPOSITE[expr.operator]
        if left.is_constant:
            left, right, symbol = right, left, MIRRORED[symbol]
        return "" if left.is_constant else f"{symbol} {_quoted(right.run(facts), _unit(left, vocabulary))}"
    if expr.kind == "fact":
        return "true" if wanted else "false"
    if expr.kind == "member":
        element, container = expr.operands
        inside = wanted is (expr.operator == "in")
        if container.kind == "set":
            return f"{'in' if inside else 'not in'} {{{', '.join(_quoted(v) for v in sorted(container.value))}}}"
        return f"{container.text} {'holds' if inside else 'lacks'} {_quoted(element.run(facts))}"
    if expr.operator == "has":
        container, element = expr.operands
        return f"{container.text} {'holds' if wanted else 'lacks'} {_quoted(element.run(facts))}"
    if expr.operator == "disjoint":
        return "no common element" if wanted else "a common element"
    return ""


def _unit(expr: Expr, vocabulary: Mapping[str, FactSpec]) -> str:
    units = {vocabulary[name].unit for name in expr.names if name in vocabulary}
    return units.pop() if len(units) == 1 else ""


def _quoted(value: Any, unit: str = "") -> str:
    return f"'{value}'" if isinstance(value, str) else show(value, unit)
