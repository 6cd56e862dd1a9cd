"""Where rules can speak: real profiles and plans of one technique, and what the cases reach of conditions."""

import pytest

from advisor.devices import load_device
from advisor.facts import device_facts
from advisor.rules import load_rules
from advisor.rules.branches import branches
from advisor.rules.coverage import coverage
from advisor.rules.situations import paths_by, paths_by_class, plans_by, plans_by_technique
from advisor.rules.vocabulary import load_vocabulary
from advisor.techniques.registry import all_techniques

BASE = load_rules()
FOUND = coverage(BASE)


def holds(rule: str) -> set[tuple[str, str]]:
    """Return the cells that one rule alone fills."""
    alone = BASE.of([BASE.get(rule)])
    return {cell for cell, kinds in coverage(alone).rules.items() if sum(kinds.values())}


def test_every_technique_and_every_class_of_the_profiles_has_a_cell():
    assert set(FOUND.techniques) == {technique.name for technique in all_techniques()}
    assert set(FOUND.classes) == set(BASE.vocabulary["dev.kind"].values)
    assert len(FOUND.rules) == len(FOUND.techniques) * len(FOUND.classes)


@pytest.mark.parametrize(
    ("rule", "inside", "outside"),
    [
        ("HW-05c", ("static_int8", "gpu-soc"), ("static_int8", "mcu")),  # int8 tensor cores
        ("HW-05c", ("qat", "gpu-card"), ("half", "gpu-card")),
        ("HW-11c", ("static_int8", "mcu"), ("static_int8", "phone")),
        ("HW-10a", ("half", "mcu-npu"), ("distil", "mcu-npu")),  # a student may be made to fit
        ("HW-17a", ("sparsify", "x86"), ("prune_channels", "x86")),  # zeros without kernels
    ],
)
def test_a_rule_is_counted_where_it_can_hold_and_nowhere_else(rule, inside, outside):
    cells = holds(rule)
    assert inside in cells
    assert outside not in cells


def test_rules_for_every_plan_are_counted_but_are_no_judgement_of_a_technique():
    alone = BASE.of([BASE.get("DA-01b")])
    found = coverage(alone)
    assert all(found.rules[cell]["veto"] == 1 for cell in found.rules), "the effort depends on the settings"
    assert not any(found.own.values())
    assert len(found.gaps) == len(found.rules)


def test_situations_speak_the_vocabulary_and_leave_models_and_numbers_open():
    facts = load_vocabulary()
    for groups in (paths_by(tuple(sorted(facts))), plans_by(tuple(sorted(facts)))):
        for cut in groups:
            assert facts.complaints(dict(cut)) == ()
    numbers = {name for cut in plans_by(("plan.sparsity", "plan.channel_ratio", "plan.epochs")) for name, _ in cut}
    assert numbers == {"plan.sparsity", "plan.channel_ratio", "plan.epochs"}, "zero where the technique has none"
    of = plans_by_technique()
    zeros = {value: plans for cut, plans in plans_by(("plan.sparsity",)).items() for _, value in cut}
    assert zeros[0.0] & of["half"] == of["half"]
    assert zeros[0.0] & of["sparsify"] == 0
    assert sum(paths_by_class().values()) == sum(paths_by(()).values())


def test_a_profile_is_among_the_situations():
    nano = device_facts(load_device("jetson-nano"))
    names = tuple(sorted(nano))
    assert tuple(sorted(nano.items())) in paths_by(names)


def test_parts_of_conditions_are_reached_by_the_cases_of_any_rule(writer):
    writer.rule("HW-01", when="m.a > 1 or m.flag", cases={"fires": {"m.a": 2}, "silent": {"m.a": 0, "m.flag": False}})
    writer.rule("HW-02", when="m.flag", cases={"fires": {"m.flag": True}, "silent": {"m.flag": False}})
    writer.rule("HW-03", when="not known(m.b)", cases={"fires": {"m.a": 1}, "silent": {"m.a": 1}})
    found = {branch.text: branch for branch in branches(writer.load())}
    assert found["m.flag"].rules == ("HW-01", "HW-02")
    assert (found["m.flag"].true, found["m.flag"].false) == (True, True)
    assert (found["m.a > 1"].true, found["m.a > 1"].false) == (True, True)
    assert (found["known(m.b)"].true, found["known(m.b)"].false) == (False, True)
    more = {branch.text: branch for branch in branches(writer.load(), [{"m.b": 1}])}
    assert more["known(m.b)"].true
