import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.ranking.limits import chance_of_all, check, check_all, probability_below, probability_met
from advisor.schema import Basis, Estimate, Goal, Limit, Metric
from tests.ranking.builders import estimate


@pytest.mark.parametrize(
    ("metric", "mid", "bound", "met"),
    [
        (Metric.LATENCY, 30.0, 33.0, True),
        (Metric.LATENCY, 33.0, 33.0, True),
        (Metric.LATENCY, 33.1, 33.0, False),
        (Metric.ACCURACY, -0.9, 1.0, True),
        (Metric.ACCURACY, -1.1, 1.0, False),
        (Metric.ACCURACY, 0.4, 0.0, True),
        (Metric.SIZE, 0.5, 0.0, False),
    ],
)
def test_the_middle_of_the_interval_decides_whether_a_limit_is_met(metric, mid, bound, met):
    assert check(Limit(metric=metric, bound=bound), estimate(metric, mid)).met is met


def test_a_limit_on_an_unpredictable_metric_is_unknown_and_halves_the_chance():
    result = check(Limit(metric=Metric.ENERGY, bound=5.0), None)
    assert result.met is None
    assert chance_of_all((result,)) == 0.5


def test_the_ends_of_the_interval_are_the_10th_and_90th_percentile():
    e = Estimate(metric=Metric.LATENCY, low=5.0, mid=10.0, high=40.0, basis=Basis.ROOFLINE, predictor="test")
    assert probability_below(e, 5.0) == pytest.approx(0.1)
    assert probability_below(e, 10.0) == pytest.approx(0.5)
    assert probability_below(e, 40.0) == pytest.approx(0.9)


def test_an_exact_estimate_is_certain_on_either_side():
    e = Estimate(metric=Metric.SIZE, low=4.0, mid=4.0, high=4.0, basis=Basis.EXACT, predictor="test")
    assert probability_below(e, 4.0) == 1.0
    assert probability_below(e, 3.999) == 0.0


@given(
    mid=st.floats(0.01, 1e4),
    spread=st.floats(1.0, 5.0),
    bounds=st.lists(st.floats(0.0, 1e5), min_size=2, max_size=6).map(sorted),
)
def test_a_looser_limit_is_never_less_probable(mid, spread, bounds):
    e = estimate(Metric.LATENCY, mid, spread)
    chances = [probability_below(e, bound) for bound in bounds]
    assert chances == sorted(chances)
    assert all(0.0 <= c <= 1.0 and math.isfinite(c) for c in chances)


@pytest.mark.parametrize(
    ("interval", "drop", "chance"),
    [
        ((-1.0, -0.2, 0.1), 1.0, 0.9),  # the pessimistic end just meets the limit: one case in ten is worse
        ((-1.0, -0.2, 0.1), 0.2, 0.5),
        ((-2.0, -1.0, 0.0), 0.0, 0.1),
        ((0.0, 0.0, 0.0), 0.0, 1.0),
    ],
)
def test_the_chance_of_an_accuracy_limit_counts_the_tail_beyond_the_interval(interval, drop, chance):
    low, mid, high = interval
    e = Estimate(metric=Metric.ACCURACY, low=low, mid=mid, high=high, basis=Basis.PUBLISHED, predictor="test")
    assert probability_met(Limit(metric=Metric.ACCURACY, bound=drop), e) == pytest.approx(chance)


def estimate_of(metric, low, mid, high):
    return Estimate(metric=metric, low=low, mid=mid, high=high, basis=Basis.ASSUMED, predictor="test")


@pytest.mark.parametrize(("sustained", "met"), [(True, True), (False, False)])
def test_a_rate_counts_the_time_between_results_and_not_the_way_through(sustained, met):
    estimates = {
        Metric.LATENCY: estimate_of(Metric.LATENCY, 8.0, 10.0, 12.0),
        Metric.THROUGHPUT: estimate_of(Metric.THROUGHPUT, 180.0, 220.0, 270.0),
    }
    goal = Goal(limits=(Limit(metric=Metric.LATENCY, bound=5.0, sustained=sustained),))
    (found,) = check_all(goal, estimates)
    assert found.met is met
    assert found.estimate.low <= found.estimate.mid <= found.estimate.high


def test_a_rate_falls_back_on_the_latency_where_there_is_no_pipeline():
    goal = Goal(limits=(Limit(metric=Metric.LATENCY, bound=12.0, sustained=True),))
    (found,) = check_all(goal, {Metric.LATENCY: estimate_of(Metric.LATENCY, 8.0, 10.0, 12.0)})
    assert found.met
    assert found.estimate.mid == 10.0
