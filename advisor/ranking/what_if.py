"""Asking again under other limits or facts: which rules flip, which plans open or close, who wins."""

from typing import Any

from advisor.facts import goal_facts
from advisor.rules import RuleBase, evaluate
from advisor.schema import Candidate, Explanation, FigureChange, Flip, Goal, Metric, Recommendation
from advisor.units import counted

from .naming import by_plan, named, outcomes
from .nearest import nearest
from .rank import decide
from .rule_digests import knowledge_version, rule_digests
from .store import kept, restored
from .unknowns import most_wanted, with_unknowns

_NAMED = 5  # plans that open or close, by name


def case_facts(recommendation: Recommendation, goal: Goal, changed: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of the case with those of another goal and with the changed ones; None makes one unknown."""
    old = goal_facts(recommendation.goal)
    case = {name: value for name, value in restored(recommendation.facts).items() if name not in old}
    return case | goal_facts(goal) | changed


def ask_again(recommendation: Recommendation, rules: RuleBase, goal: Goal, changed: dict[str, Any]) -> Recommendation:
    """Decide again on the stored candidates; estimates stay, so model, device and batch cannot change here."""
    case = case_facts(recommendation, goal, changed)

    def again(candidate: Candidate) -> Candidate:
        facts = case | restored(candidate.facts) | changed
        return candidate.model_copy(update={"findings": kept(evaluate(rules, facts, "candidate"))})

    candidates = [again(c) for c in sorted(recommendation.candidates, key=lambda c: c.number)]
    ranked, winner = decide(candidates, goal, recommendation.baseline)
    case_findings = kept(evaluate(rules, case, "case"))
    after = recommendation.model_copy(
        update={
            "goal": goal,
            "facts": case,
            "candidates": ranked,
            "winner": winner,
            "nearest": nearest(ranked, goal),
            "case_findings": case_findings,
            "knowledge": knowledge_version(rules),
            "added_rules": rules.added,
            "rule_digests": rule_digests(rules),
        }
    )
    return with_unknowns(after, most_wanted(ranked, case_findings))


def compare(before: Recommendation, after: Recommendation, question: str) -> Explanation:
    """Say what changed between two recommendations; plans are matched by what they do and where they run.

    Plans that only one of the two knows (another device) are left out of what opens, closes and flips.
    """
    earlier = by_plan(before)
    pairs = [(old, c) for c in after.candidates if (old := earlier.get(c.plan.model_dump_json())) is not None]
    answer = [winner_sentence(before, after)]
    opened = [new for old, new in pairs if old.rejected_by and not new.rejected_by]
    closed = [new for old, new in pairs if new.rejected_by and not old.rejected_by]
    for word, changed in (("open", opened), ("close", closed)):
        if changed:
            some = ", ".join(f"#{c.number} {c.plan.label}" for c in changed[:_NAMED])
            more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
            answer.append(f"{counted(len(changed), 'plan')} {word if len(changed) > 1 else f'{word}s'}: {some}{more}.")
    answer += list(after.nearest)
    flips = tuple(f for old, new in pairs for f in flips_of(old, new))
    if not flips and before.device == after.device:
        answer.append("No rule and no limit changes its answer for any plan.")
    return Explanation(
        question=question,
        answer=tuple(answer),
        candidate=after.recommended,
        flips=flips,
        figures=_figures(before.recommended, after.recommended),
        after=after,
    )


def winner_sentence(before: Recommendation, after: Recommendation) -> str:
    """Say in one sentence who wins now and who won before; numbers may differ where plans were made anew."""
    old, new = before.recommended, after.recommended
    if before.device != after.device:
        return f"The recommendation for {after.device} is {named(new)}; for {before.device} it is {named(old)}."
    same = old is not None and new is not None and old.plan == new.plan
    if same or old is new:
        return f"The recommendation stays {named(new)}."
    return f"The recommendation changes from {named(old)} to {named(new)}."


def _figures(old: Candidate | None, new: Candidate | None) -> tuple[FigureChange, ...]:
    """Return the predicted figures of both winners that differ."""
    before = {} if old is None else old.estimates
    after = {} if new is None else new.estimates
    return tuple(
        FigureChange(metric=metric, before=before.get(metric), after=after.get(metric))
        for metric in Metric
        if before.get(metric) != after.get(metric)
    )


def flips_of(before: Candidate, after: Candidate) -> list[Flip]:
    """Return the rules and limits that say something else about a plan."""
    old, new = outcomes(before), outcomes(after)
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
