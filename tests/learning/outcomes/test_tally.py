"""How good predictions were: counted by device, technique, basis and metric; rules beside their certainty."""

import random

import pytest
from scipy.stats import binomtest

from advisor.learning.outcomes.tally import UNCHANGED, rate, tally
from advisor.schema import Metric

from .builders import effect, figure, outcome


def rows(outcomes):
    return {(row.device, row.technique, row.basis, row.metric): row for row in tally(outcomes).rows}


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (1, 1), (3, 7), (40, 50), (50, 50)])
def test_a_rate_has_the_exact_binomial_interval(hits, n):
    found, truth = rate(hits, n), binomtest(hits, n).proportion_ci(method="exact")
    assert found.share == hits / n
    assert (found.low, found.high) == pytest.approx((truth.low, truth.high))


@pytest.mark.parametrize(
    ("hits", "n", "promised", "verdict"),
    [(8, 10, 0.8, "as promised"), (1, 10, 0.8, "below"), (60, 60, 0.8, "above"), (1, 2, 0.8, "few"),
     (5, 5, 1.0, "as promised"), (0, 4, 0.8, "below")],
)  # fmt: skip
def test_a_rate_is_held_against_the_promise(hits, n, promised, verdict):
    assert rate(hits, n).against(promised) == verdict


def test_hits_errors_and_bias_are_counted_by_group():
    found = rows([*(outcome(n, off) for n, off in enumerate((0.0, 0.5, 2.0))), outcome(7, 0.0, device="board"),
                  outcome(8, techniques=("half",), figures=(figure(-3.0, basis="calibrated"),))])  # fmt: skip
    mine = found["host", "static_int8", "roofline", Metric.LATENCY]
    assert (mine.hits.n, mine.hits.share) == (3, pytest.approx(2 / 3))
    assert mine.bias == mine.median_error == pytest.approx(2.718281828**0.25 - 1, rel=1e-6)
    assert found["host", "half", "calibrated", Metric.LATENCY].hits.share == 0
    assert found["host", "half", "calibrated", Metric.LATENCY].bias < 0
    assert found["board", "static_int8", "roofline", Metric.LATENCY].hits.n == 1


def test_of_accuracy_errors_are_points():
    found = rows([outcome(1, figures=(figure(3.0, Metric.ACCURACY, mid=-1.0),))])
    assert found["host", "static_int8", "roofline", Metric.ACCURACY].bias == pytest.approx(1.5)


def test_exact_predictions_promise_all():
    exact = figure(basis="exact", low=10.0, high=10.0)
    assert rows([outcome(1, figures=(exact,))])["host", "static_int8", "exact", Metric.LATENCY].promised == 1.0


def test_what_cannot_be_compared_does_not_count_and_is_listed():
    spoilt = [outcome(20, figures=(figure(conclusive=False, hit=None, note="busy"),)),
              outcome(21, figures=(figure(measured=10_000.0, hit=False),))]  # fmt: skip
    found = tally([*(outcome(n) for n in range(5)), *spoilt])
    assert found.rows[0].hits.n == 5
    assert {one.outcome for one in found.set_aside} == {one.id for one in spoilt}


def test_a_miss_counts_as_one_however_far_it_is():
    """Outliers that teach nothing are still misses: leaving them out would flatter."""
    found = tally([*(outcome(n) for n in range(5)), outcome(30, 6.0)])
    assert found.rows[0].hits.n == 6
    assert found.rows[0].hits.share == pytest.approx(5 / 6)
    assert len(found.set_aside) == 1


def test_the_unchanged_model_beside_is_a_row_of_its_own():
    assert ("host", UNCHANGED, "roofline", Metric.LATENCY) in rows([outcome(1, unchanged=(figure(),))])


def test_corrected_predictions_are_counted_as_such():
    figures = (figure(raw=(1.0, 2.0, 3.0)),)
    assert rows([outcome(1, figures=figures), outcome(2)])["host", "static_int8", "roofline", Metric.LATENCY].seen == 1


def test_rules_are_reported_beside_their_certainty():
    rng = random.Random(0)
    seen = [
        outcome(n, effects=(effect(held=rng.random() < 0.2), effect(rule="QS-11", certainty="weak"))) for n in range(30)
    ]
    kept = {one.rule: one for one in tally(seen).rules}
    assert (kept["HW-03a"].promised, kept["HW-03a"].verdict) == (0.9, "below")
    assert (kept["QS-11"].promised, kept["QS-11"].verdict) == (0.35, "above")
    assert kept["HW-03a"].models == 30


def test_causes_of_misses_are_counted():
    miss = figure(2.0, cause="fall_back")
    hit = figure(0.0, cause="fall_back")
    found = tally([outcome(1, figures=(miss,)), outcome(2, figures=(miss,)), outcome(3, figures=(hit,))])
    assert found.causes == {"fall_back": 2}


def test_nothing_is_counted_of_nothing():
    found = tally([])
    assert (found.outcomes, found.rows, found.rules, found.set_aside) == (0, (), (), ())
