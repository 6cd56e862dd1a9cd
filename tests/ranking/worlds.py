"""What metamorphic tests change: a small network, shipped devices with other memories, other names, other rules."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

from advisor.devices import load_device
from advisor.ranking.decision import recommend_for
from advisor.rules import load_rules
from advisor.rules.load import Compiled, RuleBase
from advisor.schema import Candidate, Device, Figure, Goal, Recommendation, Workload
from tests.prediction.networks import conv_net

MEMORIES = ("capacity_mb", "on_chip_kb", "sram_kb", "flash_kb")


@cache
def network() -> Workload:
    """A convolution and a large linear layer: 0.7 M weights and 0.5 MB of activations, so that many memories bind."""
    return conv_net(64, 32)


def decide_for(device: Device, goal: Goal, rules: RuleBase | None = None) -> Recommendation:
    """Decide for the small network."""
    return recommend_for(network(), device, goal, rules or load_rules(), random_weights=False)


@cache
def usual(device: str, goal: Goal = Goal()) -> Recommendation:  # noqa: B008  (frozen)
    """The decision for a device as it is shipped."""
    return decide_for(load_device(device), goal)


def key(candidate: Candidate) -> str:
    """What a plan does and where, without its number."""
    return candidate.plan.model_dump_json()


def feasible(recommendation: Recommendation) -> set[str]:
    """Plans that nothing rejects."""
    return {key(c) for c in recommendation.candidates if not c.rejected_by}


def scaled(device: Device, factors: dict[str, float]) -> Device:
    """Return the device with some of its memories larger or smaller."""
    memory = device.memory

    def times(figure: Figure | None, factor: float) -> Figure | None:
        return figure and figure.model_copy(update={"value": figure.value * factor})

    changed = {name: times(getattr(memory, name), factor) for name, factor in factors.items()}
    return device.model_copy(update={"memory": memory.model_copy(update=changed)})


def with_rule(base: RuleBase, folder: Path, when: str, rule: str = "ZZ-99") -> RuleBase:
    """Return the base with one more veto."""
    path = folder / "hardware" / f"{rule}-added.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"id: {rule}\ntitle: Added\ngroup: hardware\nkind: veto\norigin: X\ncertainty: strong\nwhen: {when}\n"
        "reason: Added by a test.\nsources: [{ref: a test, claim: none}]\n"
        "cases: {fires: {user.batch: 1}, silent: {user.batch: 1}}\nsince: 0.1.0\n"
    )
    return rebuilt(base, [*base, load_rules(root=folder).get(rule)])


def rebuilt(base: RuleBase, rules: Iterable[Compiled]) -> RuleBase:
    """Return a base of these rules in this order."""
    return replace(base, compiled={entry.rule.id: entry for entry in rules})
