"""Which parts of conditions the cases never see true, or never see false: the coverage of branches."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .expressions import Expr
from .load import RuleBase
from .partial import asked_for


@dataclass(frozen=True)
class Branch:
    """A part of conditions, the rules that hold it, and whether some case makes it true or false."""

    text: str
    rules: tuple[str, ...]
    true: bool
    false: bool


def branches(base: RuleBase, extra: Iterable[Mapping[str, Any]] = ()) -> tuple[Branch, ...]:
    """Evaluate every part of every condition and demand on the cases of all rules and on further facts.

    A part that several rules hold is one part; a case of one rule counts for the parts of another.
    """
    holders: dict[Expr, dict[str, None]] = {}
    for entry in base:
        for whole in (entry.when, entry.demand) if not entry.rule.deprecated else ():
            for part in _parts(whole) if whole else ():
                holders.setdefault(part, {})[entry.rule.id] = None
    cases = [facts for entry in base for facts in (entry.rule.cases.fires, entry.rule.cases.silent)] + list(extra)
    naming: dict[str, list[Mapping[str, Any]]] = {}
    for facts in cases:
        for name in facts:
            naming.setdefault(name, []).append(facts)
    found = []
    for part, rules in holders.items():
        telling = [facts for name in part.names for facts in naming.get(name, ())]
        values = {part.run(facts) for facts in (cases if asked_for(part) else telling)}
        found.append(Branch(part.text, tuple(rules), True in values, False in values))
    return tuple(found)


def _parts(expr: Expr) -> Iterator[Expr]:
    """List a condition and what it is joined of; a condition without facts has only one outcome."""
    if expr.type == "bool" and expr.names:
        yield expr
        for part in expr.operands if expr.kind in ("and", "or", "not") else ():
            yield from _parts(part)
