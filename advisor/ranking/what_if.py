"""Asking again under other limits or facts: which rules flip, which plans open or close, who wins."""

from typing import Any

from advisor.facts import goal_facts
from advisor.rules import RuleBase, evaluate
from advisor.schema import Candidate, Explanation, Finding, Flip, Goal, Recommendation, Truth

from .nearest import nearest
from .rank import decide
from .unknowns import most_wanted


def restored(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts as rules want them after a trip through JSON: lists become sets."""
    return {name: frozenset(value) if isinstance(value, list | tuple) else value for name, value in facts.items()}


def kept(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings worth storing: fired ones with their traces, unknown ones without, silent ones not at all."""
    return tuple(
        f if f.truth is Truth.TRUE else f.model_copy(update={"trace": None, "sources": ()})
        for f in findings
        if f.truth is not Truth.FALSE
    )


def ask_again(recommendation: Recommendation, rules: RuleBase, goal: Goal, changed: dict[str, Any]) -> Recommendation:
    """Decide again on the stored candidates; estimates stay, so model, device and batch cannot change here."""
    old_goal_facts = goal_facts(recommendation.goal)
    case = {name: value for name, value in restored(recommendation.facts).items() if name not in old_goal_facts}
    case |= goal_facts(goal) | changed

    def again(candidate: Candidate) -> Candidate:
        facts = case | restored(candidate.facts) | changed
        return candidate.model_copy(update={"findings": kept(evaluate(rules, facts, "candidate"))})

    candidates = [again(c) for c in sorted(recommendation.candidates, key=lambda c: c.number)]
    ranked, winner = decide(candidates, goal, recommendation.baseline)
    case_findings = kept(evaluate(rules, case, "case"))
    return recommendation.model_copy(
        update={
            "goal": goal,
            "facts": case,
            "candidates": ranked,
            "winner": winner,
            "nearest": nearest(ranked, goal),
            "case_findings": case_findings,
            "unknown": most_wanted(ranked, case_findings),
        }
    )


def compare(before: Recommendation, after: Recommendation, question: str) -> Explanation:
    """Say what changed between two recommendations; plans are matched by what they do and where they run.

    Plans that only one of the two knows (another device) are left out of what opens, closes and flips.
    """
    earlier = {c.plan.model_dump_json(): c for c in before.candidates}
    pairs = [(old, c) for c in after.candidates if (old := earlier.get(c.plan.model_dump_json())) is not None]
    answer = [_winner_sentence(before, after)]
    opened = [new for old, new in pairs if old.rejected_by and not new.rejected_by]
    closed = [new for old, new in pairs if new.rejected_by and not old.rejected_by]
    for word, changed in (("open", opened), ("close", closed)):
        if changed:
            named = ", ".join(f"#{c.number} {c.plan.label}" for c in changed[:5])
            answer.append(f"{len(changed)} plan(s) {word}: {named}{' ...' if len(changed) > 5 else ''}.")
    answer += list(after.nearest)
    flips = tuple(f for old, new in pairs for f in _flips(old, new))
    if not flips and before.device == after.device:
        answer.append("No rule and no limit changes its answer for any plan.")
    return Explanation(question=question, answer=tuple(answer), candidate=after.recommended, flips=flips, after=after)


def _name(recommendation: Recommendation) -> str:
    winner = recommendation.recommended
    return "no plan" if winner is None else f"#{winner.number} '{winner.plan.label}' on {winner.plan.path}"


def _winner_sentence(before: Recommendation, after: Recommendation) -> str:
    old, new = _name(before), _name(after)
    if before.device != after.device:
        return f"The recommendation for {after.device} is {new}; for {before.device} it is {old}."
    return f"The recommendation stays {new}." if old == new else f"The recommendation changes from {old} to {new}."


def _outcomes(candidate: Candidate) -> dict[str, str]:
    rules = {f.rule: "rejects" if f.rejects else f"{f.kind}: {f.truth.value}" for f in candidate.findings}
    limits = {
        f"limit {c.limit.metric.value}": "met" if c.met else "unknown" if c.met is None else "missed"
        for c in candidate.limits
    }
    return rules | limits


def _flips(before: Candidate, after: Candidate) -> list[Flip]:
    old, new = _outcomes(before), _outcomes(after)
    return [
        Flip(
            plan=f"#{after.number} {after.plan.label}",
            what=what,
            before=old.get(what, "silent"),
            after=new.get(what, "silent"),
        )
        for what in sorted({*old, *new})
        if old.get(what) != new.get(what)
    ]
