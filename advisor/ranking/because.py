"""Why the winner changes between two decisions, in a few words."""

from collections.abc import Iterator, Mapping

from advisor.schema import Candidate, Goal, Metric, Recommendation

from .limits import NAMES
from .naming import by_plan, rejecting
from .rank import enough_without
from .utility import counted
from .weights import load_weights


def because(before: Recommendation, after: Recommendation) -> tuple[str, ...]:
    """Say what makes the winner change: what now rejects the old one, what no longer rejects the new one, or why else.

    The old winner goes by its number, the new one is 'it'. Where nothing rejects or opens, the rules whose advice turns
    for either of them; else the score alone.
    """
    plans, known = by_plan(after), by_plan(before)
    old, new = before.recommended, after.recommended
    old_after = None if old is None else plans.get(old.plan.model_dump_json())
    new_before = None if new is None else known.get(new.plan.model_dump_json())
    if old is not None and old_after is not None and (lost := rejecting(old_after)):
        return tuple(f"{_in_words(what)} rejects #{old.number}" for what in lost)
    if new is not None and new_before is not None and (opened := rejecting(new_before)):
        return tuple(f"{_in_words(what)} no longer rejects it" for what in opened)
    if old is not None and enough_without(old, before.goal) and not enough_without(old_after, after.goal):
        return (_no_longer_enough(old, before.goal, after.goal),)
    if new is not None and enough_without(new, after.goal) and not enough_without(new_before, before.goal):
        return ("it meets the stated limits uncompressed",)
    turned = [
        f"{rule} {word} {which}"
        for one, other, which in ((old, old_after, f"#{before.winner}"), (new_before, new, "it"))
        if one is not None and other is not None
        for rule, word in _turned(counted(one.findings), counted(other.findings))
    ]
    weights = () if before.goal.kind == after.goal.kind else ("other weights of the score",)
    return (*weights, *tuple(dict.fromkeys(turned))[:3]) or ("the score decides",)


def _no_longer_enough(old: Candidate, before: Goal, after: Goal) -> str:
    """Say why a plan without steps was enough before and is not now."""
    if before.kind != after.kind:
        return "more is asked than to meet the limits"
    if all(limit.metric is Metric.ACCURACY for limit in after.limits):
        return "no limit on cost is left to meet"
    return f"#{old.number} meets the limits with less than {load_weights().enough_chance:.0%}"


def _in_words(reason: str) -> str:
    metric = reason.removeprefix("limit ")
    return reason if metric == reason else f"the limit on {NAMES[Metric(metric)]}"


def _turned(earlier: Mapping[str, float], later: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    """Name the rules that begin or cease to move the score."""
    for rule in sorted({*earlier, *later}):
        before, after = earlier.get(rule, 0.0), later.get(rule, 0.0)
        if before != after:
            for_it = (after or before) > 0
            yield rule, f"{'speaks' if after else 'no longer speaks'} {'for' if for_it else 'against'}"
