"""What a missing fact is worth: whether any answer to it would change the winner, and how to get the answer."""

from advisor.rules import RuleBase
from advisor.rules.vocabulary import FactSpec
from advisor.schema import Recommendation, Wanted

from .naming import named
from .turning.facts import place, values_of, varied, winner_if
from .turning.probing import Probe
from .unknowns import with_unknowns


def weigh_unknowns(recommendation: Recommendation, rules: RuleBase) -> Recommendation:
    """Put the facts that could change the winner first and say at which value; `rules` must be those that decided.

    Of these, what can be asked or counted comes before what a device's profile lacks.
    """
    probe = Probe(recommendation, rules)
    weighed = [_weighed(probe, one) for one in recommendation.wanted]
    return with_unknowns(
        recommendation, sorted(weighed, key=lambda one: (not one.decides, one.fact.startswith("dev.")))
    )


def _weighed(probe: Probe, wanted: Wanted) -> Wanted:
    spec = probe.rules.vocabulary.get(wanted.fact)
    if spec is None:
        return wanted
    decides = _deciding(probe, wanted.fact) if wanted.fact in varied(probe) else ()
    return wanted.model_copy(update={"about": spec.about, "decides": decides, "settle": _settle(probe.now, spec)})


def _deciding(probe: Probe, name: str) -> tuple[str, ...]:
    """Say which values make which other plan win; of numbers with the same winner the first is named."""
    found: dict[int | None, object] = {}
    for value in values_of(probe, name):
        winner = winner_if(probe, name, value)
        if winner != probe.now.winner:
            found.setdefault(winner, value)
    return tuple(
        f"{place(probe, name, value)}, {named(None if winner is None else probe.now.by_number[winner])} would win"
        for winner, value in found.items()
    )


def _settle(recommendation: Recommendation, spec: FactSpec) -> str:
    """Say how to get the answer: images are counted by a command, the rest is told."""
    if spec.name.startswith("data.") and spec.origin == "derived":
        model = recommendation.model_spec.get("spec") or "MODEL"
        return f"Settle it: advisor recommend {model} --target {recommendation.device} --data DIR"
    where = spec.how.removesuffix("; told by the user") or spec.about
    return f"Look at: {where}. Then ask: --what-if {spec.name}=VALUE"
