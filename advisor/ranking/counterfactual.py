"""The smallest change of one limit, fact, goal or device that makes another plan win."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from advisor.errors import AdvisorError
from advisor.progress import Progress, Silent
from advisor.rules import RuleBase
from advisor.schema import BUDGETS, Candidate, Counterfactual, Explanation, Metric, Recommendation
from advisor.units import three

from .because import because
from .changes import Changed, read_changes
from .naming import named, plan_name
from .turning.alternative import Alternative
from .turning.facts import BY_RULES, turned_facts
from .turning.goals import turned_goals
from .turning.limits import turned_limits
from .turning.probing import Probe
from .weights import load_weights
from .what_if import ask_again

Anew = Callable[[Changed], Recommendation]  # decides from the start, with the model


def smallest_changes(
    recommendation: Recommendation,
    rules: RuleBase,
    *,
    anew: Anew | None = None,
    others: tuple[str, ...] = (),
    progress: Progress | None = None,
) -> Explanation:
    """Look for every single change that makes another plan win and confirm each by asking again.

    `anew` decides from the start, with other budgets and on other devices; `others` are the changes of device or power
    mode to try.
    """
    progress = progress or Silent()
    now = ask_again(recommendation, rules, recommendation.goal, {})
    found = _looked_for(Probe(now, rules), progress, budgets=anew is None)
    others = (*(f"budget={b}" for b in BUDGETS if b != now.goal.budget), *others) if anew is not None else ()
    progress.start("asking again", len(found) + len(others))
    confirmed = []
    for one in found:
        progress.advance(note=one.change)
        confirmed.append(confirm(one, now, rules))
    known = [record for record in confirmed if record is not None]
    there, alike = _elsewhere(now, others, anew, progress)
    progress.finish()
    known = sorted((*known, *there), key=lambda c: (c.size, c.change))
    answer = [*_answer(recommendation, now, known), *_of_others(anew is not None, alike)]
    return Explanation(
        question="which change of one thing would make another plan win",
        answer=tuple(answer),
        counterfactuals=tuple(known),
    )


def _of_others(tried: bool, alike: Sequence[str]) -> Iterator[str]:
    if not tried:
        yield "Other devices were not tried: the model cannot be opened again."
    if alike:
        yield f"The same plan wins with {', '.join(alike)}."


def _looked_for(probe: Probe, progress: Progress, *, budgets: bool) -> list[Alternative]:
    progress.start("looking for turning points")
    found = []
    for one in chain(turned_limits(probe), turned_goals(probe, budgets=budgets), turned_facts(probe)):
        found.append(one)
        progress.advance(note=one.change)
    progress.finish()
    return sorted(found, key=lambda one: (one.size, one.change))


def _answer(stored: Recommendation, now: Recommendation, found: Sequence[Counterfactual]) -> Iterator[str]:
    if stored.winner != now.winner:
        yield (
            f"The present rules decide for {named(now.recommended)}, no longer for {named(stored.recommended)}: "
            "that is what the changes are measured from. --replay says what changed."
        )
    if found:
        first = found[0]
        yield (
            f"Now {named(now.recommended)} wins. The smallest change: with {first.change} (now: {first.before}), "
            f"{first.plan} wins: {'; '.join(first.because)}."
        )
        yield "Each change was confirmed by deciding again with it, and just short of it."
    else:
        yield f"{named(now.recommended)} wins whatever limit, fact, goal or budget was changed by itself."
    if any(c.note == BY_RULES for c in found):
        yield "* Only the rules follow this fact: the predicted figures stay those of the model and the device."


def confirm(one: Alternative, now: Recommendation, rules: RuleBase) -> Counterfactual | None:
    """Ask again with the change and just short of it; None where the answer does not bear the change out."""
    after = _asked(one.change, now, rules)
    if after.winner != one.winner or (one.short_of and _asked(one.short_of, now, rules).winner != now.winner):
        return None
    return _record(one, now, after)


def _asked(change: str, now: Recommendation, rules: RuleBase) -> Recommendation:
    changed = read_changes((change,), now.goal, now.facts)
    return ask_again(now, rules, changed.goal, changed.facts)


def _record(one: Alternative, now: Recommendation, after: Recommendation) -> Counterfactual:
    return Counterfactual(
        kind=one.kind,
        change=one.change,
        short_of=one.short_of,
        before=one.before,
        size=round(one.size, 4),
        winner=after.winner,
        plan=named(after.recommended),
        because=because(now, after),
        note=one.note,
    )


def _elsewhere(
    now: Recommendation, others: tuple[str, ...], anew: Anew | None, progress: Progress
) -> tuple[list[Counterfactual], list[str]]:
    """Return what wins on other devices, and those where the same plan does.

    A plan is the same if it does the same in the same runtime on the same unit.
    """
    own = None if now.recommended is None else plan_name(now.recommended)
    found: list[Counterfactual] = []
    alike: list[str] = []
    for place, change in enumerate(others):
        progress.advance(note=change)
        try:
            after = anew(read_changes((change,), now.goal)) if anew is not None else now
        except AdvisorError:  # it has no such runtime or unit: no answer to the same question
            continue
        if after.recommended is None:
            continue
        if plan_name(after.recommended) == own:
            alike.append(change)
        else:
            record = _record(_other(now, change, place, after.winner), now, after)
            reasons = record.because if change.startswith("budget=") else (_predicted(after.recommended),)
            # Numbers are those of the other answer.
            found.append(record.model_copy(update={"because": reasons, "plan": plan_name(after.recommended)}))
    return found, alike


def _other(now: Recommendation, change: str, place: int, winner: int | None) -> Alternative:
    sizes = load_weights().changes
    if change.startswith("budget="):
        return Alternative("goal", change, "", f"budget {now.goal.budget}", sizes.switch, winner)
    # In the order of likeness: devices have no common measure of distance that would mean more.
    return Alternative("device", change, "", f"device {now.device}", sizes.device + place / 1000, winner)


def _predicted(candidate: Candidate) -> str:
    latency = candidate.estimates.get(Metric.LATENCY)
    return "decided anew" if latency is None else f"decided anew: {three(latency.mid)} ms there"
