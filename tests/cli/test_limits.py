import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.cli.limits import LimitTexts, read_goal, read_limits
from advisor.cli.options import read_inputs
from advisor.errors import GoalError
from advisor.schema import BUDGETS, Metric


@pytest.mark.parametrize(
    ("texts", "batch", "metric", "bound"),
    [
        (LimitTexts(max_latency="33ms"), 1, Metric.LATENCY, 33.0),
        (LimitTexts(max_latency="0.5 s"), 1, Metric.LATENCY, 500.0),
        (LimitTexts(max_latency="33"), 1, Metric.LATENCY, 33.0),
        (LimitTexts(min_fps="30"), 1, Metric.LATENCY, 1000 / 30),
        (LimitTexts(min_fps="30"), 8, Metric.LATENCY, 8000 / 30),
        (LimitTexts(max_size="512kB"), 1, Metric.SIZE, 0.512),
        (LimitTexts(max_size="10 MiB"), 1, Metric.SIZE, 10.48576),
        (LimitTexts(max_flash="512kB"), 1, Metric.FLASH, 0.512),
        (LimitTexts(max_memory="1GB"), 1, Metric.MEMORY, 1000.0),
        (LimitTexts(max_energy="0.05 J"), 1, Metric.ENERGY, 50.0),
        (LimitTexts(max_drop="1.0"), 1, Metric.ACCURACY, 1.0),
        (LimitTexts(max_drop="0"), 1, Metric.ACCURACY, 0.0),
    ],
)
def test_limits_are_read_in_their_units(texts, batch, metric, bound):
    (limit,) = read_limits(texts, batch)
    assert limit.metric is metric
    assert limit.bound == pytest.approx(bound)


def test_latency_and_frames_that_say_the_same_are_one_limit():
    (limit,) = read_limits(LimitTexts(max_latency="33.3ms", min_fps="30"))
    assert limit.bound == pytest.approx(1000 / 30)


def test_no_options_give_the_usual_goal():
    goal = read_goal(LimitTexts())
    assert (goal.kind, goal.budget, goal.limits, goal.batch) == ("balanced", "finetune", (), 1)


@pytest.mark.parametrize("budget", BUDGETS)
def test_every_budget_of_the_schema_can_be_named(budget):
    assert read_goal(LimitTexts(), budget=budget).budget == budget


@given(st.text(max_size=12))
def test_any_text_is_a_positive_finite_limit_or_refused(text):
    try:
        (limit,) = read_limits(LimitTexts(max_latency=text))
    except GoalError:
        return
    assert 0 < limit.bound < math.inf


@pytest.mark.parametrize(
    ("texts", "read"),
    [
        (None, None),
        (["1x3x224x224"], (1, 3, 224, 224)),
        (["1,3,32,32"], (1, 3, 32, 32)),
        (["3X8X8"], (3, 8, 8)),
        (["image=1x3x8x8"], [{"shape": [1, 3, 8, 8], "name": "image"}]),
        (["1x3x8x8", "1x77:int64"], [{"shape": [1, 3, 8, 8]}, {"shape": [1, 77], "dtype": "int64"}]),
    ],
)
def test_inputs_are_read(texts, read):
    found = read_inputs(texts)
    assert (tuple(found) if isinstance(read, tuple) else found) == read


@given(st.text(max_size=8))
def test_any_text_is_a_shape_of_positive_sizes_or_refused(text):
    try:
        found = read_inputs([text])
    except GoalError:
        return
    shape = found[0]["shape"] if isinstance(found[0], dict) else found
    assert shape
    assert all(size > 0 for size in shape)


@pytest.mark.parametrize(
    ("texts", "sustained"),
    [(LimitTexts(min_fps="30"), True), (LimitTexts(max_latency="33ms"), False), (LimitTexts(max_size="1MB"), False)],
)
def test_frames_per_second_bound_the_rate_and_not_the_latency(texts, sustained):
    (limit,) = read_limits(texts)
    assert limit.sustained is sustained
