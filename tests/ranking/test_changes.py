import pytest

from advisor.errors import GoalError
from advisor.ranking.changes import read_changes, written
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
    changed = read_changes((change,), Goal())
    assert changed.goal.bound(metric) == pytest.approx(bound)
    assert (changed.facts, changed.target, changed.anew) == ({}, None, False)


def test_a_limit_can_be_lifted_and_a_goal_and_budget_changed():
    limited = read_changes(("max_drop=1", "goal=size", "budget=none"), Goal()).goal
    assert (limited.kind, limited.budget) == ("size", "none")
    lifted = read_changes(("max_drop=none",), limited).goal
    assert lifted.bound(Metric.ACCURACY) is None


def test_facts_and_the_target_are_told_apart_from_limits():
    changed = read_changes(("data.calib_n=500", "model.act_fns=relu,silu", "target=jetson-nano"), Goal())
    assert changed.facts == {"data.calib_n": 500, "model.act_fns": frozenset({"relu", "silu"})}
    assert changed.by_hand == ("model.act_fns",)
    assert changed.target == "jetson-nano"


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ("power_mode=5W", "power_mode", "5W"),
        ("runtime=tflite", "runtime", "tflite"),
        ("runtime=none", "runtime", None),
        ("threads=2", "threads", 2),
        ("--batch=4", "batch", 4),
        ("user.batch=4", "batch", 4),
        ("budget=train", "budget", "train"),
    ],
)
def test_what_plans_are_made_for_asks_for_the_model_again(change, field, value):
    changed = read_changes((change,), Goal(runtime="ncnn"))
    assert getattr(changed.goal, field) == value
    assert changed.anew


@pytest.mark.parametrize(
    ("changes", "facts", "then"),
    [
        (("data.calib_n=500",), {}, {"data.calib_n": 500}),
        (("data.calib_n=500",), {"data.images_n": 100}, {"data.calib_n": 500, "data.images_n": 500}),
        (
            ("data.train_n=500",),
            {"data.images_n": 100, "data.labelled_n": 100},
            {"data.train_n": 500, "data.labelled_n": 500, "data.images_n": 500},
        ),
        (("data.images_n=10",), {"data.calib_n": 100, "data.train_n": 5}, {"data.images_n": 10, "data.calib_n": 10}),
        (("data.calib_n=unknown",), {"data.images_n": 100}, {"data.calib_n": None}),
    ],
)
def test_counts_of_images_stay_together(changes, facts, then):
    assert read_changes(changes, Goal(), facts).facts == then


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("data.calib_n", 31),
        ("model.dw_mac_share", 0.05),
        ("dev.ram_bytes", 4.096e9),
        ("model.act_range_max", 1e-7),
        ("model.has_se", True),
        ("model.family", "vit"),
        ("dev.isa", frozenset({"neon", "dotprod"})),
        ("dev.isa", frozenset()),
        ("model.act_fns", frozenset({"relu"})),
        ("data.calib_n", None),
    ],
)
def test_a_written_change_reads_back_as_it_was(name, value):
    assert read_changes((written(name, value),), Goal()).facts == {name: value}


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
        ("batch=none", "batch"),
        ("threads=0", "1 or more"),
        ("plan.precision=int8", "from plan to plan"),
        ("budget=all", "calibration"),
        ("modle.params=3", "model.params"),
        ("data.calib_n=many", "not a number"),
    ],
)
def test_nonsense_is_refused_with_what_would_be_right(change, says):
    with pytest.raises(GoalError, match=says):
        read_changes((change,), Goal())


def test_more_parts_than_the_whole_are_refused():
    with pytest.raises(GoalError, match="more than"):
        read_changes(("data.images_n=5", "data.calib_n=10"), Goal())
