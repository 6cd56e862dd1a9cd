"""Asking the rules: facts in, one finding per rule out, each with the trace that explains it."""

from collections.abc import Mapping
from typing import Any, Literal

from advisor.errors import KnowledgeError
from advisor.schema import Finding, TraceNode, Truth

from .load import Compiled, RuleBase
from .traces import needs, trace, truth_of

Scope = Literal["candidate", "case"]
Deed = Literal["fires", "rejects", "set aside", "silent", "unknown"]
SCOPES: tuple[Scope, ...] = ("candidate", "case")
_REJECTING = ("veto", "require")


def evaluate(base: RuleBase, facts: Mapping[str, Any], scope: Scope) -> tuple[Finding, ...]:
    """Ask every rule of `scope`; facts that are absent or None are unknown.

    A finding's `truth` is that of `when`. A veto rejects when it is true; a require rejects when it is true and its
    demand false - an unknown demand rejects nothing and is listed under `missing`. A rule that fires sets aside
    the rules it overrides: they stay in the list with a note, without weight, figures or step. Only rules that fire
    carry a trace; `explain` makes one for any rule on demand.
    """
    relevant = base.relevant[scope]
    findings = relevant.silent()
    try:
        asked = [(place, entry, entry.when.run(facts)) for place, entry in relevant.open(facts)]
        aside = _set_aside(base, [entry.rule.id for _, entry, truth in asked if truth])
        for place, entry, truth in asked:
            if truth is not False:
                findings[place] = _remembered(base, entry, facts, truth, aside.get(entry.rule.id, ""))
        return tuple(findings)
    except TypeError as error:
        wrong = base.vocabulary.complaints(facts)
        raise KnowledgeError(
            f"facts of the wrong kind: {'; '.join(wrong) or error}", remedy="Facts must fit knowledge/facts.yaml"
        ) from error


def deed_of(finding: Finding) -> Deed:
    """Tell in a word what a rule does; one that another sets aside keeps no weight."""
    if finding.truth is Truth.FALSE:
        return "silent"
    if finding.truth is Truth.UNKNOWN:
        return "unknown"
    if finding.rejects:
        return "rejects"
    return "fires" if finding.weight else "set aside"


def explain(base: RuleBase, rule: str, facts: Mapping[str, Any]) -> TraceNode:
    """Trace one rule on these facts, whether it fires or not."""
    return _trace(base, base.get(rule), facts)


def _remembered(base: RuleBase, entry: Compiled, facts: Mapping[str, Any], truth: bool | None, by: str) -> Finding:
    """Make a finding, or take the one that the same values gave before; `by` is the rule that sets this one aside."""
    key = (entry.rule.id, by)
    return base.memory.finding(key, entry.reads, facts, lambda: _finding(base, entry, facts, truth, by))


def _finding(base: RuleBase, entry: Compiled, facts: Mapping[str, Any], truth: bool | None, by: str) -> Finding:
    rule = entry.rule
    demand = entry.demand.run(facts) if truth and entry.demand else None
    tree = _trace(base, entry, facts) if truth else None
    return Finding.model_construct(  # of a checked rule, field by field
        rule=rule.id,
        kind=rule.kind,
        title=rule.title,
        origin=rule.origin,
        certainty=rule.certainty,
        truth=truth_of(truth),
        rejects=bool(truth) and not by and (rule.kind == "veto" or (rule.kind == "require" and demand is False)),
        reason=entry.reason.fill(facts) + (f" (Set aside by {by}: {base.get(by).rule.title}.)" if by else ""),
        step="" if by else rule.step,
        metric=rule.metric,
        low=None if by else rule.low,
        high=None if by else rule.high,
        weight=0.0 if by else rule.weight,
        trace=tree,
        sources=rule.sources,
        same_evidence=rule.same_evidence,
        missing=tree.needs if tree else needs(entry.when, facts),
    )


def _trace(base: RuleBase, entry: Compiled, facts: Mapping[str, Any]) -> TraceNode:
    """Trace `when`, and with it the demand once the condition holds."""
    rejecting = entry.rule.kind in _REJECTING
    when = trace(entry.when, facts, base.vocabulary, wanted=not rejecting)
    if entry.demand is None or when.truth is not Truth.TRUE:
        return when
    demand = trace(entry.demand, facts, base.vocabulary, wanted=True)
    return TraceNode(
        text=f"{when.text} demands {demand.text}",
        shown=f"{when.shown} demands {demand.shown}",
        truth=demand.truth,
        needs=demand.needs,
        children=(when, demand),
    )


def _set_aside(base: RuleBase, fired: list[str]) -> dict[str, str]:
    """Map every fired rule that another fired rule overrides to that rule; one set aside sets nothing aside."""
    over = {
        target: tuple(rule for rule in fired if target in base.get(rule).rule.overrides)
        for rule in fired
        for target in base.get(rule).rule.overrides
        if target in fired
    }
    decided: dict[str, str] = {}

    def winner(rule: str) -> str:
        if rule not in decided:
            decided[rule] = ""  # in a circle the first one stands; the linter refuses circles
            decided[rule] = next((other for other in over.get(rule, ()) if not winner(other)), "")
        return decided[rule]

    return {rule: by for rule in over if (by := winner(rule))}
