"""Running the cases that every rule carries: facts on which it must fire, and facts on which it must not."""

from collections.abc import Mapping
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
    """Check the two cases of one rule.

    `fires`: the condition is true; a veto rejects, a require has its demand false. `silent`: the condition is false, or
    the demand of a require holds. A silent case that is only unknown is reported too: it would show nothing.
    """
    rule = entry.rule
    found = []
    for side, facts in (("fires", rule.cases.fires), ("silent", rule.cases.silent)):
        if not facts:
            found.append(_problem(entry, side, "the case names no facts"))
        found += [_problem(entry, side, complaint) for complaint in base.vocabulary.complaints(facts)]
    if found:
        return tuple(found)
    if not _fires(_ask(base, entry, rule.cases.fires), entry):
        shown = _ask(base, entry, rule.cases.fires)
        needs = f"; unknown: {', '.join(shown.missing)}" if shown.missing else ""
        found.append(_problem(entry, "fires", f"the rule does not fire{needs}"))
    silent = _ask(base, entry, rule.cases.silent)
    if _fires(silent, entry):
        found.append(_problem(entry, "silent", "the rule fires"))
    elif silent.truth is Truth.UNKNOWN or silent.missing:
        found.append(_problem(entry, "silent", f"only unknown facts keep it silent: {', '.join(silent.missing)}"))
    return tuple(found)


def _ask(base: RuleBase, entry: Compiled, facts: Mapping[str, Any]) -> Finding:
    alone = RuleBase({entry.rule.id: entry}, base.vocabulary, base.version, base.digest)
    active = entry.rule.model_copy(update={"deprecated": ""})
    if entry.rule.deprecated:
        alone = RuleBase({active.id: _with(entry, active)}, base.vocabulary, base.version, base.digest)
    return evaluate(alone, facts, entry.rule.scope)[0]


def _with(entry: Compiled, rule: Any) -> Compiled:
    return Compiled(rule, entry.path, entry.when, entry.demand, entry.reason)


def _fires(finding: Finding, entry: Compiled) -> bool:
    if entry.rule.kind in ("veto", "require"):
        return finding.rejects
    return finding.truth is Truth.TRUE


def _problem(entry: Compiled, side: str, message: str) -> Problem:
    return Problem("error", f"case-{side}", entry.rule.id, message, f"{entry.path.parent.name}/{entry.path.name}")
