"""Running the cases that every rule carries: facts on which it must fire, and facts on which it must not."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from advisor.schema import Finding, Truth

from .evaluate import evaluate
from .load import Compiled, RuleBase
from .problems import Problem

Side = Literal["fires", "silent"]


def run_cases(base: RuleBase) -> tuple[Problem, ...]:
    """Run the cases of all rules."""
    return tuple(problem for entry in base for problem in check_rule(base, entry))


def check_rule(base: RuleBase, entry: Compiled) -> tuple[Problem, ...]:
    """Check the two cases of one rule."""
    return tuple(
        _problem(entry, side, complaint)
        for side, facts in sides_of(entry)
        for complaint in complaints(base, entry, side, facts)
    )


def sides_of(entry: Compiled) -> tuple[tuple[Side, Mapping[str, Any]], ...]:
    """Return the two cases of a rule."""
    return ("fires", entry.rule.cases.fires), ("silent", entry.rule.cases.silent)


def complaints(base: RuleBase, entry: Compiled, side: Side, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Say what is wrong with one case of a rule, asked alone; nothing if it holds.

    `fires`: the condition is true; a veto rejects, a require has its demand false. `silent`: the condition is false, or
    the demand of a require holds. A silent case that is only unknown is reported too: it would show nothing.
    """
    if not facts:
        return ("the case names no facts",)
    if wrong := base.vocabulary.complaints(facts):
        return wrong
    shown = _ask(base, entry, facts)
    if side == "fires":
        needs = f"; unknown: {', '.join(shown.missing)}" if shown.missing else ""
        return () if _fires(shown) else (f"the rule does not fire{needs}",)
    if _fires(shown):
        return ("the rule fires",)
    if shown.truth is Truth.UNKNOWN or shown.missing:
        return (f"only unknown facts keep it silent: {', '.join(shown.missing)}",)
    return ()


def _ask(base: RuleBase, entry: Compiled, facts: Mapping[str, Any]) -> Finding:
    """Ask one rule alone, also where it is deprecated."""
    active = replace(entry, rule=entry.rule.model_copy(update={"deprecated": ""}))
    return evaluate(base.of([active]), facts, entry.rule.scope)[0]


def _fires(finding: Finding) -> bool:
    if finding.kind in ("veto", "require"):
        return finding.rejects
    return finding.truth is Truth.TRUE


def _problem(entry: Compiled, side: Side, message: str) -> Problem:
    return Problem("error", f"case-{side}", entry.rule.id, message, entry.place)
