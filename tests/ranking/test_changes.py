import pytest

from advisor.errors import GoalError
from advisor.ranking.changes import read_changes
from advisor.schema import Goal, Metric


@pytest.mark.parametrize(
    ("change", "metric", "bound"),
    [
        ("max_latency=20ms", Metric.LATENCY, 20.0),
        ("max-latency=0.02s", Metric.LATENCY, 20.0),
        ("min_fps=50", Metric.LATENCY, 20.0),
        ("max_size=5", Metric.SIZE, 5.0),
        ("max_size=512kB", Metric.SIZE, 0.512),
        ("max_flash=512kB", Metric.FLASH, 0.512),
        ("max_memory=1GB", Metric.MEMORY, 1000.0),
        ("max_energy=5mJ", Metric.ENERGY, 5.0),
        ("max_drop=2", Metric.ACCURACY, 2.0),
        ("max_drop = 1.5 %", Metric.ACCURACY, 1.5),
        ("user.max_drop_pp=2", Metric.ACCURACY, 2.0),  # the fact that repeats the limit is the limit
        ("user.latency_ms=20", Metric.LATENCY, 20.0),
    ],
)
def test_a_limit_is_set_in_its_unit(change, metric, bound):
    goal, facts, target = read_changes((change,), Goal())
    assert goal.bound(metric) == pytest.approx(bound)
    assert (facts, target) == ({}, None)


def test_a_limit_can_be_lifted_and_a_goal_and_budget_changed():
    limited, _, _ = read_changes(("max_drop=1", "goal=size", "budget=none"), Goal())
    assert (limited.kind, limited.budget) == ("size", "none")
    lifted, _, _ = read_changes(("max_drop=none",), limited)
    assert lifted.bound(Metric.ACCURACY) is None


def test_facts_and_the_target_are_told_apart_from_limits():
    _, facts, target = read_changes(("data.calib_n=500", "model.act_fns=relu,silu", "target=jetson-nano"), Goal())
    assert facts == {"data.calib_n": 500, "model.act_fns": frozenset({"relu", "silu"})}
    assert target == "jetson-nano"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("max_drop", "NAME=VALUE"),
        ("max_drop=", "NAME=VALUE"),
        ("max_drop=-1", "not negative"),
        ("max_drop=nan", "not a number"),
        ("max_latency=3 parsecs", "unknown unit"),
        ("min_fps=0", "positive"),
        ("max_latencyy=3", "max_latency"),
        ("goal=fast", "latency"),
        ("user.batch=4", "batch"),
        ("budget=all", "calibration"),
        ("modle.params=3", "model.params"),
        ("data.calib_n=many", "not a number"),
    ],
)
def test_nonsense_is_refused_with_what_would_be_right(change, says):
    with pytest.raises(GoalError, match=says):
        read_changes((change,), Goal())
