"""What is certain of a condition before all facts are in: true, false, or open whatever the others will be."""

from collections.abc import Callable

from .expressions import Expr, Run, is_missing

MayCome = Callable[[str], bool]


def foresee(expr: Expr, may_come: MayCome) -> Run:
    """Return an evaluation whose decisions stay the same when more facts come in; `may_come` says which still can.

    The plain evaluation has this property for everything but `known`, which is false of a fact until it is given.
    """
    asked = frozenset(name for name in asked_for(expr) if may_come(name))
    if not asked:
        return expr.run
    if expr.kind in ("and", "or"):
        parts, decides = tuple(foresee(part, may_come) for part in expr.operands), expr.kind == "or"
        return lambda facts: _joined([part(facts) for part in parts], decides)
    if expr.kind == "not":
        inner = foresee(expr.operands[0], may_come)
        return lambda facts: None if (value := inner(facts)) is None else not value
    return lambda facts: None if any(is_missing(name, facts) for name in asked) else expr.run(facts)


def _joined(values: list[bool | None], decides: bool) -> bool | None:
    return decides if decides in values else None if None in values else not decides


def asked_for(expr: Expr) -> frozenset[str]:
    """Return the facts of which the condition asks whether they are known."""
    if expr.operator == "known":
        return frozenset(expr.names)
    return frozenset(name for part in expr.operands for name in asked_for(part))
