"""What would change the winner: found by computing, confirmed by asking again on both sides."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import advisor.techniques  # noqa: F401 - registers the steps
from advisor.errors import GoalError
from advisor.ranking.changes import read_changes
from advisor.ranking.counterfactual import smallest_changes
from advisor.ranking.rank import decide, winner_of
from advisor.ranking.turning.probing import Probe
from advisor.ranking.what_if import ask_again
from advisor.schema import Goal, Limit, Metric, Plan
from advisor.techniques.half.step import Half
from advisor.techniques.static_int8.step import StaticInt8
from tests.ranking.builders import candidate, decided, goal

HALF, INT8 = (Plan(steps=(step,), runtime="onnxruntime") for step in (Half(), StaticInt8()))
VETO = {"id": "CA-01", "when": "plan.precision == 'int8' and data.calib_n < 100"}
BIG = {"id": "AA-01", "when": "plan.precision == 'int8' and model.params > 5_000_000"}
FAVOUR = {"id": "AA-02", "kind": "prefer", "when": "plan.precision == 'int8' and model.has_se"}
SET = {"id": "AA-03", "when": "plan.precision == 'int8' and disjoint(dev.isa, {'dotprod', 'i8mm'})"}
BUDGET = {"id": "AA-04", "when": "plan.precision == 'int8' and user.budget == 'none'"}


def three(**more):
    """The original, the runtime, fp16 twice as fast, and int8 four times as fast."""
    return (
        candidate(0, 50.0, facts={"plan.precision": "fp32"}),
        candidate(1, 40.0, facts={"plan.precision": "fp32"}),
        candidate(2, 20.0, plan=HALF, size=5.0, facts={"plan.precision": "fp16"}),
        candidate(3, 10.0, plan=INT8, size=2.5, loss=0.2, facts={"plan.precision": "int8"}, **more),
    )


def changes(found, kind=None):
    return {c.change: c.winner for c in found.counterfactuals if kind in (None, c.kind)}


def test_an_unknown_fact_that_a_veto_waits_for_is_named_with_the_value_that_matters(rules_of):
    rules = rules_of(VETO)
    found = smallest_changes(decided(rules, *three()), rules)
    assert found.counterfactuals[0].change == "data.calib_n=99"
    assert (found.counterfactuals[0].winner, found.counterfactuals[0].because) == (2, ("CA-01 rejects #3",))


@pytest.mark.parametrize(
    ("rule", "facts", "change", "winner"),
    [
        (BIG, {"model.params": 4_000_000}, "model.params=5000001", 2),
        (BIG, {"model.params": 6_000_000}, "model.params=5000000", 3),
        (BIG | {"when": "plan.precision == 'int8' and 2 * model.params > 1e6 + model.macs"},
         {"model.params": 10, "model.macs": 5_000_000}, "model.params=3000001", 2),
        (SET, {"dev.isa": ["neon"]}, "dev.isa=dotprod,neon", 3),
        (BUDGET, {}, "budget=none", 2),
        (FAVOUR | {"kind": "veto"}, {"model.has_se": False}, "model.has_se=true", 2),
    ],
)  # fmt: skip
def test_thresholds_are_computed_from_the_conditions(rules_of, rule, facts, change, winner):
    rules = rules_of(rule)
    found = smallest_changes(decided(rules, *three(), facts=facts), rules)
    assert changes(found)[change] == winner


def test_nothing_that_rules_alone_follow_is_said_without_a_note(rules_of):
    rules = rules_of(BIG)
    found = smallest_changes(decided(rules, *three(), facts={"model.params": 4_000_000}), rules)
    (one,) = (c for c in found.counterfactuals if c.change.startswith("model.params"))
    assert "figures do not follow" in one.note
    assert any(text.startswith("* ") for text in found.answer)


@pytest.mark.parametrize("limits", [{}, {"latency": 12.0}, {"drop": 1.0}, {"latency": 25.0, "size": 20.0}])
def test_a_limit_turns_the_winner_where_it_says_and_not_just_short_of_it(rules_of, limits):
    rules = rules_of(VETO)
    now = decided(rules, *three(), wanted=goal(**limits))
    found = [c for c in smallest_changes(now, rules).counterfactuals if c.kind == "limit"]
    assert found
    for one in found:
        for change, winner in ((one.change, one.winner), (one.short_of, now.winner)):
            if change:
                wanted = read_changes((change,), now.goal).goal
                assert decide(now.candidates, wanted, 1)[1] == winner, change


def test_the_loosest_limit_that_rules_the_winner_out_is_found(rules_of):
    rules = rules_of(VETO)
    found = changes(smallest_changes(decided(rules, *three()), rules), "limit")
    tight = min(float(c.removeprefix("max_drop=")) for c in found if c.startswith("max_drop"))
    assert 0.19 <= tight < 0.2


def test_where_no_plan_meets_the_limits_the_way_out_is_named(rules_of):
    rules = rules_of(VETO)
    now = decided(rules, *three(), wanted=goal(latency=8.0))
    assert now.winner is None
    found = smallest_changes(now, rules).counterfactuals
    loosened = next(c for c in found if c.change.startswith("max_latency"))
    assert loosened.winner == 3
    assert 10.0 <= float(loosened.change.removeprefix("max_latency=").removesuffix("ms")) <= 10.1


def test_smaller_changes_come_first_and_other_devices_are_said_to_be_untried(rules_of):
    rules = rules_of(VETO, BUDGET)
    found = smallest_changes(decided(rules, *three()), rules)
    sizes = [c.size for c in found.counterfactuals]
    assert sizes == sorted(sizes)
    assert "Other devices were not tried" in found.answer[-1]


def test_other_devices_are_decided_anew_and_the_same_plan_is_no_change(rules_of):
    rules = rules_of(VETO)
    now = decided(rules, *three())
    other = decided(rules, *three()[:3])
    worlds = {"like": now, "unlike": other}

    def anew(changed):
        if changed.target == "without that runtime":
            raise GoalError("board has no such runtime")
        return worlds[changed.target] if changed.target else other if changed.goal.budget == "none" else now

    others = ("target=like", "target=unlike", "target=without that runtime")
    found = smallest_changes(now, rules, anew=anew, others=others)
    assert changes(found, "device") == {"target=unlike": 2}
    assert changes(found, "goal") == {"budget=none": 2}
    assert found.answer[-1] == "The same plan wins with budget=calibration, budget=train, target=like."


def test_a_stored_winner_that_the_present_rules_would_not_choose_is_said(rules_of):
    stored = decided(rules_of(name="none"), *three(), facts={"model.params": 6_000_000})
    found = smallest_changes(stored, rules_of(BIG))
    assert "--replay" in found.answer[0]


def test_a_winner_that_needed_no_steps_says_what_makes_it_too_little(rules_of):
    rules = rules_of(BUDGET)
    plain = (candidate(0, 50.0), candidate(1, 20.0), candidate(2, 5.0, size=2.0, plan=HALF))
    now = decided(rules, *plain, wanted=goal(latency=60.0))
    assert now.winner == 1
    said = {c.change: c.because for c in smallest_changes(now, rules).counterfactuals}
    assert said["max_latency=none"] == ("no limit on cost is left to meet",)
    assert said["goal=size"] == ("more is asked than to meet the limits",)
    (tighter,) = (why for change, why in said.items() if change.startswith("max_latency=2"))
    assert tighter == ("#1 meets the limits with less than 90%",)


def test_a_limit_stated_as_a_rate_turns_as_a_rate_of_few_digits(rules_of):
    rules = rules_of(VETO)
    rate = Goal(limits=(Limit(metric=Metric.LATENCY, bound=40.0, sustained=True),))
    now = decided(rules, *three(), wanted=rate)
    found = [c for c in smallest_changes(now, rules).counterfactuals if c.change.startswith("min_fps")]
    assert {c.before for c in found} == {"25 images/s"}
    assert all(len(c.change.removeprefix("min_fps=").replace(".", "")) <= 4 for c in found)


facts = st.fixed_dictionaries(
    {},
    optional={
        "data.calib_n": st.sampled_from([0, 99, 100, 5000]),
        "model.params": st.sampled_from([1000, 5_000_000, 5_000_001]),
        "model.has_se": st.booleans(),
        "dev.isa": st.frozensets(st.sampled_from(["neon", "dotprod", "i8mm"])),
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(before=facts, after=facts, budget=st.sampled_from(["none", "finetune"]))
def test_a_probe_answers_as_asking_again_does(rules_of, tmp_path_factory, before, after, budget):
    rules = rules_of(
        VETO, BIG, FAVOUR, SET, BUDGET | {"overrides": ["CA-01"]}, name=str(tmp_path_factory.mktemp("base") / "r")
    )
    now = decided(rules, *three(), facts=before)
    wanted = Goal(budget=budget)
    assert Probe(now, rules).winner(wanted, after) == ask_again(now, rules, wanted, after).winner


rows = st.lists(st.tuples(st.floats(1, 100), st.floats(0, 3), st.floats(1, 50)), min_size=2, max_size=8)


@given(rows, st.sampled_from(["balanced", "latency", "size"]), st.floats(1, 100))
def test_the_winner_alone_is_the_winner_of_the_whole_decision(plans, kind, bound):
    candidates = [candidate(i, *row) for i, row in enumerate(plans)]
    for wanted in (goal(kind), goal(kind, latency=bound)):
        ranked, winner = decide(candidates, wanted, 1)
        assert winner_of(candidates, wanted, 1) == winner
        assert winner_of(ranked, wanted, 1, scored=frozenset(range(len(plans)))) == winner
