from hypothesis import given
from hypothesis import strategies as st

from advisor.ranking.pareto import dominators
from advisor.ranking.weights import load_weights
from advisor.schema import Metric
from tests.ranking.builders import candidate, finding

TIES = load_weights().tie


def test_a_slower_larger_and_less_accurate_plan_is_dominated():
    assert dominators([candidate(1, 10.0), candidate(2, 20.0, loss=1.0, size=20.0)], TIES) == {2: 1}


def test_a_trade_off_stays():
    assert dominators([candidate(1, 10.0, loss=1.0), candidate(2, 20.0)], TIES) == {}


def test_equal_plans_do_not_dominate_each_other():
    assert dominators([candidate(1, 10.0), candidate(2, 10.1)], TIES) == {}


def test_more_effort_for_the_same_result_is_dominated():
    assert dominators([candidate(1, 10.0), candidate(2, 10.0, effort=0.5)], TIES) == {2: 1}


def test_a_plan_that_rules_advise_against_beats_nobody():
    better = candidate(1, 10.0, findings=(finding("PR-08", "avoid"),))
    assert dominators([better, candidate(2, 20.0)], TIES) == {}


def test_a_plan_with_an_unknown_metric_is_not_comparable():
    other = candidate(2, 20.0, size=20.0, loss=2.0)
    unknown = other.model_copy(
        update={"estimates": {m: e for m, e in other.estimates.items() if m is not Metric.LATENCY}}
    )
    assert dominators([candidate(1, 10.0), unknown], TIES) == {}


plans = st.lists(
    st.tuples(st.floats(1, 100), st.floats(0, 5), st.floats(1, 100), st.sampled_from([0.0, 0.3, 1.0])),
    min_size=1,
    max_size=9,
)


@given(plans)
def test_the_front_is_what_brute_force_finds(rows):
    def beats(a, b):
        costs = [(a[0] / b[0], TIES.latency_ms), (a[2] / b[2], TIES.size_mb)]
        no_worse = all(ratio <= tie for ratio, tie in costs) and a[1] <= b[1] + TIES.accuracy_pp and a[3] <= b[3]
        return no_worse and (any(r < 1 / t for r, t in costs) or a[1] < b[1] - TIES.accuracy_pp or a[3] < b[3])

    found = dominators([candidate(i, lat, loss, size, e) for i, (lat, loss, size, e) in enumerate(rows)], TIES)
    expected = {i for i, b in enumerate(rows) if any(beats(a, b) for j, a in enumerate(rows) if i != j)}
    near_tie = any(
        abs(a[1] - b[1]) < 1e-6 + TIES.accuracy_pp and abs(abs(a[1] - b[1]) - TIES.accuracy_pp) < 1e-9
        for a in rows
        for b in rows
    )
    assert near_tie or set(found) == expected
