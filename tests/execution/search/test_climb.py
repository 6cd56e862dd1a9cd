"""Bisecting within a budget, on made-up networks whose loss and costs are known."""

import math
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.execution.search.clock import Clock, OutOfTime, Watched
from advisor.execution.search.ladder import ladder
from advisor.execution.search.limit import Loss, verdict_on
from advisor.execution.search.log import Costs, Log
from advisor.execution.search.search import climb
from advisor.execution.steps import Carried
from advisor.progress import Silent
from advisor.schema import Measurement, Metric, Plan, SearchRecord
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.static_int8.step import StaticInt8

PRUNE = PruneChannels(ratio=0.4, epochs=1)


class MadeUp:
    """A network that loses `per_ratio` points for every tenth removed, and `int8` points when it is quantized."""

    def __init__(self, plan, per_ratio=1.0, int8=0.0, seconds=0.0, clock=None):
        self.plan, self.per_ratio, self.int8, self.seconds, self.clock = plan, per_ratio, int8, seconds, clock
        self.trained = []
        self.original = Costs(100, 10.0, 1.0)

    def planned(self, structure, tail):
        return self.plan.model_copy(update={"steps": (*structure, *tail)})

    def carried(self, steps, after=None):
        if after is None and steps and steps[0].epochs:
            self.trained.append(steps[0].ratio)
        if self.clock is not None and after is None:
            self.clock.now += self.seconds
        steps = (*(after.plan.steps if after else ()), *steps)
        return Carried(SimpleNamespace(), (), self.planned(steps, ()))

    def untrained(self, steps):
        return self.carried(tuple(step.model_copy(update={"epochs": 0}) for step in steps))

    def file(self, carried):
        return carried.plan.steps

    def costs(self, carried, file):
        left = 1 - sum(getattr(step, "ratio", 0) for step in file)
        quarter = 0.25 if "static_int8" in {step.technique for step in file} else 1
        return Costs(round(100 * left), 10 * left * quarter, 1 / left)

    def agreement(self, file):
        return 90.0

    def mixed(self, carried, step):
        return tuple(step.model_copy(update={"float_layers": tuple("abcd"[:count])}) for count in (1, 2))

    def loss(self, file):
        int8 = sum(self.int8 * (1 - len(step.float_layers) / 4) for step in file if step.technique == "static_int8")
        return Loss(10 * self.per_ratio * sum(getattr(step, "ratio", 0) for step in file) + int8, 0.0, 1000)


class Hand:
    """A clock that stands until it is moved."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def climbed(bench, limit, clock=None):
    log, clock = Log(), clock or Clock(None)
    done = climb(bench, log, ladder(bench.plan), clock, Watched(Silent(), clock), limit)
    return log, done


def plan(*steps):
    return Plan(steps=steps, runtime="onnxruntime")


@given(st.floats(0, 9))
def test_the_strongest_rung_that_holds_is_found_with_few_trainings(limit):
    bench = MadeUp(plan(PRUNE))
    log, done = climbed(bench, limit)
    held = [r for r in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8) if 10 * r <= limit]
    assert done
    assert (log.best.plan.steps[0].ratio if log.best else None) == (held[-1] if held else None)
    assert len(bench.trained) <= 2 + math.ceil(math.log2(8))


def test_what_the_plan_asks_for_is_tried_first():
    bench = MadeUp(plan(PRUNE))
    climbed(bench, 4.0)
    assert bench.trained[0] == 0.4


def test_layers_go_back_to_float_before_structure_does():
    bench = MadeUp(plan(PRUNE, StaticInt8()), per_ratio=0.1, int8=2.0)
    log, _ = climbed(bench, 1.9)
    strongest = log.best.plan.steps
    assert strongest[0].ratio == 0.8
    assert strongest[1].float_layers == ("a", "b")
    assert [t.outcome for t in log.trials].count("holds") >= 2


def test_the_best_has_the_largest_gain_not_the_largest_cut():
    bench = MadeUp(plan(PRUNE, StaticInt8()), per_ratio=0.5, int8=100.0)
    log, _ = climbed(bench, 1.5)
    assert log.best.plan.steps[0].ratio == 0.3
    assert log.best.plan.techniques == ("prune_channels",)


def test_nothing_holds_and_that_is_told():
    log, done = climbed(MadeUp(plan(StaticInt8()), int8=50.0), 1.0)
    assert done
    assert log.best is None
    assert {trial.outcome for trial in log.trials} == {"breaks"}
    assert len(log.trials) == 3 + 2  # three ways to find ranges, then layers in float but never all of them


def test_what_float_loses_no_quantization_is_tried_on():
    bench = MadeUp(plan(PRUNE, StaticInt8()), per_ratio=1.0)
    log, _ = climbed(bench, 2.5)
    broken = [trial for trial in log.trials if trial.outcome == "breaks"]
    assert {trial.asked.techniques for trial in broken} == {("prune_channels",)}
    assert log.best.plan.steps[0].ratio == 0.2


def test_a_rung_that_would_not_end_in_time_is_not_begun():
    hand = Hand()
    bench = MadeUp(plan(PRUNE), per_ratio=0.1, seconds=10.0, clock=hand)
    log, done = climbed(bench, 8.0, Clock(25.0, hand))
    assert not done
    assert bench.trained == [0.4]
    assert log.best.plan.steps[0].ratio == 0.4


def test_time_that_runs_out_inside_a_training_ends_the_search_with_what_holds():
    hand = Hand()
    clock = Clock(5.0, hand)
    listener = Watched(Silent(), clock)
    listener.advance()
    hand.now = 6.0
    with pytest.raises(OutOfTime):
        listener.advance()
    assert clock.left == 0
    log = Log()
    with pytest.raises(OutOfTime), log.trial(plan(PRUNE)):
        raise OutOfTime
    assert (log.trials[0].outcome, log.trials[0].reason) == ("unfinished", "the time was up")


@pytest.mark.parametrize(
    ("drop", "error", "limit", "holds"), [(0.0, 0.0, 0.0, True), (0.8, 0.1, 1.0, True), (0.9, 0.2, 1.0, False)]
)
def test_a_loss_near_the_limit_needs_some_certainty(drop, error, limit, holds):
    assert Loss(drop, error, 100).within(limit) is holds


@pytest.mark.parametrize(
    ("delta", "low", "high", "verdict"),
    [(-0.2, -0.6, 0.2, "kept"), (-0.8, -1.5, -0.1, "within error"), (-1.2, -2.0, -0.4, "broken")],
)
def test_the_verdict_is_that_of_the_test_images(delta, low, high, verdict):
    measured = Measurement(
        metric=Metric.ACCURACY, value=delta, low=low, high=high, n=500, method="m", machine="here", runtime="x"
    )
    found = verdict_on(SearchRecord(max_drop=1.0), measured)
    assert (found.verdict, found.drop) == (verdict, -delta)
    assert verdict_on(SearchRecord(max_drop=1.0), None).verdict == "not measured"
