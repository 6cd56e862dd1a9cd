"""Conditions by themselves: what can never hold, never fail, or is decided by the range of a fact."""

from collections.abc import Iterator

from ..expressions import Expr
from ..load import Compiled, RuleBase
from ..problems import Problem
from ..regions import can_hold
from ..vocabulary import Vocabulary
from .table import found


def conditions(base: RuleBase) -> Iterator[Problem]:
    """No condition or demand is impossible, none is certain, and no comparison in them is decided beforehand."""
    for entry in base:
        if entry.rule.deprecated:
            continue
        decided = list(_decided(entry, base.vocabulary))
        yield from decided
        if not can_hold(entry.when, base.vocabulary):
            yield found("unreachable", entry, f"no legal facts make it true: {entry.when.text}")
        elif not can_hold(entry.when, base.vocabulary, positive=False):
            yield found("always", entry, f"no legal facts make it false: {entry.when.text}")
        if entry.demand and not can_hold(entry.demand, base.vocabulary):
            yield found("unreachable", entry, f"no legal facts meet the demand: {entry.demand.text}")


def _decided(entry: Compiled, vocabulary: Vocabulary) -> Iterator[Problem]:
    for whole in (entry.when, entry.demand):
        for part in _comparisons(whole) if whole else ():
            can, cannot = can_hold(part, vocabulary), can_hold(part, vocabulary, positive=False)
            if part.names and not (can and cannot):
                bounds = vocabulary[part.names[0]].bounds
                why = f": {part.names[0]} lies between {bounds[0]:g} and {bounds[1]:g}" if bounds else ""
                yield found("range", entry, f"{part.text} is {'always' if can else 'never'} true{why}")


def _comparisons(expr: Expr) -> Iterator[Expr]:
    if expr.kind in ("compare", "member"):
        yield expr
    for part in expr.operands:
        yield from _comparisons(part)
