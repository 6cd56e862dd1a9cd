"""Whether a stored decision still holds: decided again on its own facts, and from the start, and compared."""

from collections.abc import Callable
from itertools import islice

from advisor import __version__
from advisor.errors import AdvisorError
from advisor.rules import RuleBase
from advisor.schema import Candidate, Comparison, Recommendation, Replay, RuleChange, Version
from advisor.units import counted

from .naming import by_plan, plan_name
from .rule_digests import knowledge_version, rule_changes, rule_digests
from .what_if import ask_again, flips_of, winner_sentence

_SAME = 1e-9  # relative difference of figures that is rounding
_RULES = 12  # named in a sentence
_MOST = 5  # plans named in a sentence


def replay(
    stored: Recommendation, rules: RuleBase, profile: Callable[[], str], anew: Callable[[], Recommendation]
) -> Replay:
    """Decide a stored recommendation again: `profile` gives the present profile, `anew` decides from the start.

    Where the device or the model is gone, the answer says so and rests on the stored facts alone.
    """
    comparisons = [
        _compared(stored, ask_again(stored, rules, stored.goal, {}), "on the stored facts with the present rules")
    ]
    notes: list[str] = []
    try:
        comparisons.append(_compared(stored, anew(), "from the start, with model, device and rules as they are now"))
    except AdvisorError as error:
        notes.append(f"Not decided from the start: {error.what}.")
    try:
        device = profile()
    except AdvisorError as error:
        device = f"gone: {error.what}"
    versions = (
        Version(what="advisor", stored=stored.engine, now=__version__),
        Version(what="knowledge", stored=stored.knowledge, now=knowledge_version(rules)),
        Version(what="profile", stored=stored.profile, now=device),
    )
    changed = rule_changes(stored.rule_digests, rule_digests(rules)) if stored.rule_digests else ()
    same = all(one.same for one in comparisons)
    answer = _answer(same, comparisons, versions, changed, stored)
    return Replay(same=same, answer=(*answer, *notes), versions=versions, rules=changed, comparisons=tuple(comparisons))


def _answer(
    same: bool,
    comparisons: list[Comparison],
    versions: tuple[Version, ...],
    changed: tuple[RuleChange, ...],
    stored: Recommendation,
) -> list[str]:
    """Say whether the answer is the same and what may have changed it."""
    said = [_verdict(same, comparisons)]
    said += [f"Decided again {one.how}: {one.winner}" for one in comparisons if not one.same]
    others = [f"{v.what} ({v.stored}, now {v.now})" for v in versions if v.stored != v.now]
    if others:
        said.append(f"Other versions: {'; '.join(others)}.")
    elif not same:
        said.append("Program, rules, facts and profile bear the same versions: predictions or weights have changed.")
    if changed:
        said.append(_rules(changed, comparisons))
    elif not stored.rule_digests:
        said.append("This plan was stored before plans held what each rule said; changed rules cannot be named.")
    elif versions[1].stored != versions[1].now:
        said.append("No rule says anything else: facts, texts or sources of the knowledge base have changed.")
    return said


def _verdict(same: bool, comparisons: list[Comparison]) -> str:
    if same:
        return "Same answer."
    if all(one.same_winner for one in comparisons):
        return "The recommendation is the same; other parts of the answer have changed."
    return "The recommendation has changed."


def _rules(changed: tuple[RuleChange, ...], comparisons: list[Comparison]) -> str:
    """Name the changed rules that had a say in what turned; count the others."""
    turned = {flip.what for one in comparisons for flip in one.flips}
    told = [f"{c.rule} ({c.what})" for c in changed if c.rule in turned]
    rest, more = len(changed) - len(told), len(told) - _RULES
    if not told:
        return f"New, gone or changed: {counted(len(changed), 'rule')}; none of them turns for any plan here."
    some = ", ".join(told[:_RULES]) + (f" and {more} more" if more > 0 else "")
    return f"Rules behind it: {some}" + (f"; {rest} more changed without effect here." if rest else ".")


def _compared(stored: Recommendation, now: Recommendation, how: str) -> Comparison:
    known, plans = by_plan(stored), by_plan(now)
    pairs = [(old, plans[key]) for key, old in known.items() if key in plans]
    flips = tuple(flip for old, new in pairs for flip in flips_of(old, new))
    figures = tuple(text for old, new in pairs if (text := _figures(old, new)))
    only = [f"gone: {plan_name(c)}" for key, c in known.items() if key not in plans]
    only += [f"new: {plan_name(c)}" for key, c in plans.items() if key not in known]
    moved = _moved(stored, now)
    winners = [None if one.recommended is None else one.recommended.plan for one in (stored, now)]
    return Comparison(
        how=how,
        same_winner=winners[0] == winners[1],
        same=winners[0] == winners[1] and not (flips or figures or only or moved),
        winner=winner_sentence(stored, now),
        moved=moved,
        flips=flips,
        figures=figures,
        plans=tuple(only),
    )


def _figures(old: Candidate, new: Candidate) -> str:
    """Name the predicted figures of a plan that differ by more than rounding."""
    told = []
    for metric in dict.fromkeys((*old.estimates, *new.estimates)):
        before, after = old.estimates.get(metric), new.estimates.get(metric)
        if before is None or after is None:
            told.append(f"{metric.value} {'appears' if before is None else 'is gone'}")
        elif any(
            abs(a - b) > _SAME * max(abs(a), abs(b))
            for a, b in ((before.low, after.low), (before.mid, after.mid), (before.high, after.high))
        ):
            told.append(f"{metric.value} {before.mid:.4g} to {after.mid:.4g}")
    return f"#{new.number} {new.plan.label} on {new.plan.path}: {', '.join(told)}" if told else ""


def _moved(stored: Recommendation, now: Recommendation) -> tuple[str, ...]:
    """Say which possible plans stand at another place of the ranking; plans that came or went do not count."""
    ranks = [[key for key, c in by_plan(one).items() if not c.rejected_by] for one in (stored, now)]
    shared = [[key for key in row if key in ranks[1 - i]] for i, row in enumerate(ranks)]
    places = {key: place for place, key in enumerate(shared[1], 1)}
    known = by_plan(now)
    shifts = (
        f"{plan_name(known[key])}: place {place} to {places[key]}"
        for place, key in enumerate(shared[0], 1)
        if places[key] != place
    )
    return tuple(islice(shifts, _MOST))
