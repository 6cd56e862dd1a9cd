"""What must not change a decision for a shipped device: more memory, looser limits, another name or order."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advisor.devices import load_device
from advisor.ranking.what_if import ask_again
from advisor.rules import evaluate, load_rules
from advisor.schema import DataFacts, Goal, Limit, Metric, Truth
from tests.ranking.worlds import MEMORIES, decide_for, feasible, key, rebuilt, scaled, usual, with_rule

BOUND = ("rp2040", "stm32n6", "max78000", "coral-usb-accelerator", "hailo-8l", "jetson-nano")  # some memory binds
DEVICES = (*BOUND, "raspberry-pi-zero-2w")
# Rules that speak of one chip by its name, because what they state was measured on it or stands in its manual.
NAMING = {
    "HW-01": "asks only whether a device is named",
    "HW-08b": "contexts of the Hailo-8L", "HW-08c": "contexts of the Hailo-8", "HW-10a": "layers of the MAX78000",
    "HW-10b": "weight memory of the MAX78000", "HW-10c": "activations of the MAX78000",
    "HW-10d": "wide layers of the MAX78000", "HW-22": "2:4 on the RK3576 alone", "HW-27c": "NPU of the i.MX 8M Plus",
    "HW-32": "the frozen plugin of the NCS2", "MC-07": "4-bit weights on the STM32N6",
}  # fmt: skip
# A microcontroller's profile that states no external RAM has none: the one rule that reads silence as an answer.
SILENCE_IS_AN_ANSWER = {"MC-01c"}
few = settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
devices = st.sampled_from(DEVICES)


def limited(metric: Metric, bound: float) -> Goal:
    return Goal(limits=(Limit(metric=metric, bound=bound),))


@few
@given(
    st.sampled_from(BOUND),
    st.dictionaries(st.sampled_from(MEMORIES), st.sampled_from([0.02, 0.1, 0.5, 1.0, 4.0]), min_size=1),
    st.sampled_from([1.5, 4.0, 100.0]),
)
def test_more_memory_never_closes_a_plan(device, factors, more):
    small = scaled(load_device(device), factors)
    large = scaled(load_device(device), {name: factor * more for name, factor in factors.items()})
    assert feasible(decide_for(small, Goal())) <= feasible(decide_for(large, Goal()))


@few
@given(devices, st.sampled_from(list(Metric)), st.floats(0, 1), st.floats(0.2, 1))
def test_a_tighter_limit_opens_no_plan(device, metric, place, tighter):
    known = sorted(abs(c.estimates[metric].mid) for c in usual(device).candidates if metric in c.estimates)
    bound = known[int(place * (len(known) - 1))] if known else 1.0
    goals = (limited(metric, bound), limited(metric, bound * tighter))
    loose, tight = (ask_again(usual(device), load_rules(), goal, {}) for goal in goals)
    assert feasible(tight) <= feasible(loose) <= feasible(usual(device))


@few
@given(device=devices, data=st.data())
def test_a_further_veto_promotes_no_plan(device, tmp_path, data):
    """No rejected plan opens, no plan's score changes, and the order of those that stay is the order they had."""
    before = usual(device)
    facts = data.draw(st.sampled_from(before.candidates)).facts
    name = data.draw(st.sampled_from(sorted(n for n, v in facts.items() if isinstance(v, int | float | str))))
    rules = with_rule(load_rules(), tmp_path, _holds(name, facts[name], data.draw(st.sampled_from(["<=", ">"]))))
    after = ask_again(before, rules, Goal(), {})
    was, now = ({key(c): c for c in rec.candidates} for rec in (before, after))
    assert feasible(after) <= feasible(before)
    assert {k: c.utility for k, c in now.items()} == {k: c.utility for k, c in was.items()}
    fallen = {k for k, c in now.items() if any(reason.startswith("ZZ-99") for reason in c.rejected_by)}
    assert feasible(before) - feasible(after) == fallen & feasible(before)
    kept = [key(c) for c in after.candidates if not c.rejected_by and c.status != "recommended"]
    assert kept == [key(c) for c in sorted(before.candidates, key=lambda c: (-c.utility, c.number)) if key(c) in kept]


def _holds(name: str, value: object, comparison: str) -> str:
    """Write a condition on a fact, true of its value or of everything else."""
    if isinstance(value, bool):
        return f'"{"" if value else "not "}{name}"'
    return f'"{name} == {value!r}"' if isinstance(value, str) else f'"{name} {comparison} {value!r}"'


@pytest.mark.parametrize("device", DEVICES)
def test_the_name_of_a_device_moves_no_rule(device):
    """Measurements are looked up by the device's name, so estimates may fall back; rules must judge as before."""
    known = load_device(device)
    renamed = known.model_copy(update={"id": "board-of-ours", "name": "Board of ours", "aliases": ()})
    was, now = ({key(c): c for c in rec.candidates} for rec in (usual(device), decide_for(renamed, Goal())))
    assert was.keys() == now.keys()
    for plan, candidate in was.items():
        pairs = [(c.findings, {f.rule: f.truth for f in c.findings}) for c in (candidate, now[plan])]
        moved = {rule for rule, truth in pairs[0][1].items() ^ pairs[1][1].items()}
        assert {rule for rule in moved if not _estimated(rule)} <= NAMING.keys(), candidate.plan


def _estimated(rule: str) -> bool:
    """Whether a rule speaks of what is estimated."""
    return bool({"plan.process_low_bytes", "plan.arena_bytes", "plan.flash_bytes"} & set(load_rules().get(rule).names))


def test_only_these_rules_name_a_device():
    assert {entry.rule.id for entry in load_rules() if "dev.id" in entry.names} == NAMING.keys()


@pytest.mark.parametrize("device", ["raspberry-pi-zero-2w", "stm32n6", "jetson-nano"])
def test_the_order_of_rules_changes_nothing(device):
    rules = load_rules()
    shuffled = random.Random(5).sample(list(rules), len(rules))
    was, now = (ask_again(usual(device), base, Goal(), {}) for base in (rules, rebuilt(rules, shuffled)))
    assert [(key(c), c.status, c.utility) for c in was.candidates] == [
        (key(c), c.status, c.utility) for c in now.candidates
    ]
    for before, after in zip(was.candidates, now.candidates, strict=True):
        assert sorted(before.rejected_by) == sorted(after.rejected_by)
        assert {f.rule: f for f in before.findings} == {f.rule: f for f in after.findings}


def test_folders_of_rules_are_only_for_people(tmp_path):
    texts = {entry.path.name: entry.path.read_text() for entry in list(load_rules())[:12]}
    for layout in ("one", "other"):
        for name, text in sorted(texts.items(), reverse=layout == "other"):
            place = tmp_path / layout / (name[:3] if layout == "one" else "all") / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
    one, other = (load_rules(root=tmp_path / layout) for layout in ("one", "other"))
    assert one.rules == other.rules


@few
@given(st.sampled_from(BOUND), st.integers(1, 20_000), st.integers(1, 20), st.sampled_from(["finetune", "train"]))
def test_more_labelled_images_close_no_plan(device, images, times, budget):
    def asked(n: int) -> Goal:
        data = DataFacts(images=n, labelled=n, calibration=n, train=n * 4 // 5, test=n // 5)
        return Goal(budget=budget, data=data)

    less, more = (decide_for(load_device(device), asked(n)).candidates for n in (images, images * times))
    # Plans are compared by their words: how many images a calibration takes depends on how many there are.
    opened = [{(c.plan.label, c.plan.path) for c in plans if not c.rejected_by} for plans in (less, more)]
    assert opened[0] <= opened[1]


@few
@given(devices, st.integers(0, 10_000), st.floats(0.05, 0.9))
def test_what_is_not_known_rejects_nothing(device, seed, share):
    """With facts taken away, a rule that rejects a plan is one that holds on all the facts, too."""
    source, recommendation = random.Random(seed), usual(device)
    candidate = source.choice(recommendation.candidates)
    facts = recommendation.facts | candidate.facts
    fewer = {name: value for name, value in facts.items() if source.random() > share}
    full = {f.rule: f for f in evaluate(load_rules(), facts, "candidate")}
    for finding in evaluate(load_rules(), fewer, "candidate"):
        if finding.rejects and finding.rule not in SILENCE_IS_AN_ANSWER:
            assert full[finding.rule].truth is Truth.TRUE, finding.rule
            assert full[finding.rule].rejects or "Set aside by" in full[finding.rule].reason, finding.rule


def test_rules_reject_nothing_where_nothing_is_known():
    assert not [f.rule for f in evaluate(load_rules(), {}, "candidate") if f.rejects]
