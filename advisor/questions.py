"""Questions about a recommendation: why, why not, what if, what would change it, and is it still the same."""

from contextlib import suppress
from functools import partial
from pathlib import Path

from advisor.devices import list_devices, load_device
from advisor.devices.power import in_power_mode
from advisor.errors import AdvisorError
from advisor.learning.outcomes import taught
from advisor.pipeline import opened, recommend
from advisor.progress import Progress
from advisor.ranking.changes import Changed, read_changes, told
from advisor.ranking.counterfactual import Anew, smallest_changes
from advisor.ranking.decision import profile_version
from advisor.ranking.elsewhere import alternatives, reopening
from advisor.ranking.explain import why as explain_why
from advisor.ranking.information import weigh_unknowns
from advisor.ranking.replay import replay as decide_again
from advisor.ranking.rule_digests import knowledge_version
from advisor.ranking.what_if import ask_again, compare
from advisor.ranking.why_not import why_not as explain_why_not
from advisor.rules.sources import rules_in_use
from advisor.schema import Explanation, Profiled, Recommendation, Replay

__all__ = ["counterfactual", "explain", "replay"]


def explain(
    recommendation: Recommendation,
    *,
    why: int | None = None,
    why_not: str | None = None,
    what_if: tuple[str, ...] = (),
    rules: tuple[Path, ...] = (),
) -> Explanation:
    """Answer one question: why this candidate (default: the winner), why not that one, or what if."""
    if what_if:
        return _what_if(recommendation, what_if, rules)
    if why_not is not None:
        return explain_why_not(recommendation, why_not)
    return explain_why(recommendation, why if why is not None else recommendation.winner or 0)


def _what_if(recommendation: Recommendation, what_if: tuple[str, ...], rules: tuple[Path, ...]) -> Explanation:
    """Decide from the start where plans or estimates depend on a change, else on the stored candidates."""
    changed = read_changes(what_if, recommendation.goal, recommendation.facts)
    base, notes = rules_in_use(_folders(recommendation, rules)), told(changed)
    if recommendation.knowledge != knowledge_version(base):
        recommendation = ask_again(recommendation, base, recommendation.goal, {})
        notes += ("The rules have changed since the plan was stored; what they say now is compared. See --replay.",)
    after = recommendation
    if changed.anew:
        try:
            after = _anew(recommendation, changed, rules)
        except AdvisorError as error:
            if changed.needed or changed.data is not None:
                raise
            notes += (f"Answered for the stored plans alone, because the model cannot be opened: {error.what}.",)
    if after is recommendation or changed.facts:
        again = ask_again(after, base, changed.goal if after is recommendation else after.goal, changed.facts)
        after = weigh_unknowns(again, base)
    found = compare(recommendation, after, "what if " + ", ".join(what_if))
    return found.model_copy(update={"answer": found.answer + notes})


def _anew(recommendation: Recommendation, changed: Changed, rules: tuple[Path, ...]) -> Recommendation:
    """Recommend from the start for the same model; it is opened again from what the record says of it."""
    options, goal = reopening(recommendation.model_spec, changed.goal.batch), changed.goal
    if changed.target is not None and goal.power_mode == recommendation.goal.power_mode:
        goal = goal.model_copy(update={"power_mode": None})  # modes are those of one device
    del options["batch"]  # part of the goal
    target = changed.target or recommendation.device
    return recommend(
        options.pop("spec"), target, goal=goal, data=changed.data, rules=_folders(recommendation, rules),
        probe=recommendation.probe, **options,
    )  # fmt: skip


def _folders(recommendation: Recommendation, rules: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return the folders of added rules that are named, or else those that the recommendation was made with."""
    return rules or tuple(Path(added.folder) for added in recommendation.added_rules)


def counterfactual(
    recommendation: Recommendation, *, rules: tuple[Path, ...] = (), progress: Progress | None = None
) -> Explanation:
    """Find the smallest single changes of a limit, a fact, the goal or the device that make another plan win."""
    anew: Anew | None = None
    others: tuple[str, ...] = ()
    with suppress(AdvisorError):  # a device or a model that is gone leaves the other changes to look at
        _opened_again(recommendation)
        others = alternatives(load_device(recommendation.device), list_devices())
        anew = partial(_anew, recommendation, rules=rules)
    return smallest_changes(
        recommendation, rules_in_use(_folders(recommendation, rules)), anew=anew, others=others, progress=progress
    )


def _opened_again(recommendation: Recommendation) -> Profiled:
    options = reopening(recommendation.model_spec, recommendation.goal.batch)
    return opened(options.pop("spec"), options.pop("batch"), options)


def replay(recommendation: Recommendation, *, rules: tuple[Path, ...] = ()) -> Replay:
    """Decide a stored recommendation again and say whether the answer is the same, or what changed and why."""

    def profile_now() -> str:
        device, mode = load_device(recommendation.device), recommendation.goal.power_mode
        return profile_version(taught(device if mode is None else in_power_mode(device, mode))[0])

    anew = partial(_anew, recommendation, Changed(recommendation.goal), rules)
    return decide_again(recommendation, rules_in_use(_folders(recommendation, rules)), profile_now, anew)
