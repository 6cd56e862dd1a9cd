import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.ranking.nearest import nearest
from advisor.ranking.rank import decide
from advisor.ranking.renumber import renumber
from advisor.ranking.utility import rule_balance
from advisor.schema import Gain, Metric, Plan
from tests.ranking.builders import candidate, finding, goal


def test_a_vetoed_plan_never_wins_and_stays_listed_with_its_rule():
    fast = candidate(2, 1.0, findings=(finding("HW-05", rejects=True),))
    ranked, winner = decide([candidate(0, 50.0), candidate(1, 20.0), fast], goal(), 1)
    assert winner == 1
    assert next(c for c in ranked if c.number == 2).rejected_by == ("HW-05: HW-05 says so",)
    assert len(ranked) == 3


def test_the_fastest_plan_wins_when_nothing_else_differs():
    assert decide([candidate(0, 50.0), candidate(1, 20.0), candidate(2, 5.0)], goal("latency"), 1)[1] == 2


def test_speed_does_not_buy_any_accuracy_loss():
    assert decide([candidate(0, 50.0), candidate(1, 20.0), candidate(2, 15.0, loss=8.0)], goal(), 1)[1] == 1


def test_nothing_is_recommended_beyond_the_runtime_when_it_meets_the_limits_with_margin():
    pruned = candidate(2, 10.0, loss=0.5, effort=0.3, plan=Plan(runtime="onnxruntime"))
    assert decide([candidate(0, 50.0), candidate(1, 20.0), pruned], goal(latency=30.0), 1)[1] == 1


def test_a_missed_limit_rejects_with_the_value_that_would_pass():
    ranked, winner = decide([candidate(0, 50.0), candidate(1, 20.0)], goal(latency=10.0), 1)
    assert winner is None
    assert "from 20.0 to 10.0 ms" in next(c for c in ranked if c.number == 1).rejected_by[0]


def test_infeasible_goals_name_the_binding_limit_and_the_nearest_plan():
    ranked, _ = decide([candidate(0, 50.0), candidate(1, 20.0)], goal(latency=10.0, size=100.0), 1)
    said = " ".join(nearest(ranked, goal(latency=10.0, size=100.0)))
    assert "10.0 ms on latency binds" in said
    assert "file size" not in said
    assert "Nearest: 'change the runtime only'" in said


def test_plans_ruled_out_by_vetoes_alone_are_not_blamed_on_limits():
    vetoed = [candidate(n, 5.0, findings=(finding("HW-07", rejects=True),)) for n in (0, 1)]
    ranked, _ = decide(vetoed, goal(latency=10.0), 1)
    assert "HW-07" in nearest(ranked, goal(latency=10.0))[1]


def test_avoid_rules_on_the_same_evidence_count_once():
    once = candidate(2, 10.0, findings=(finding("A-01", "avoid", same_evidence="x"),))
    twice = candidate(3, 10.0, findings=tuple(finding(r, "avoid", same_evidence="x") for r in ("A-01", "A-02")))
    ranked, _ = decide([candidate(0, 50.0), candidate(1, 20.0), once, twice], goal(), 1)
    terms = {c.number: c.terms["rules"] for c in ranked}
    assert terms[2] == terms[3] < 0


def test_numbers_follow_the_ranking_but_the_two_baselines_keep_theirs():
    ranked, winner = renumber(
        *decide([candidate(0, 50.0), candidate(1, 20.0), candidate(2, 12.0), candidate(3, 5.0)], goal(), 1)
    )
    assert winner == 2
    latencies = {c.number: c.estimates["latency_ms"].mid for c in ranked}
    assert latencies == {0: 50.0, 1: 20.0, 2: 5.0, 3: 12.0}


rows = st.lists(st.tuples(st.floats(1, 100), st.floats(0, 3), st.floats(1, 50)), min_size=2, max_size=8)


@given(rows, st.floats(1, 100), st.floats(1.0, 3.0))
def test_relaxing_a_limit_never_removes_a_feasible_plan(plans, bound, factor):
    candidates = [candidate(i, lat, loss, size) for i, (lat, loss, size) in enumerate(plans)]

    def feasible(limit):
        return {c.number for c in decide(candidates, goal(latency=limit), 1)[0] if not c.rejected_by}

    assert feasible(bound) <= feasible(bound * factor)


@given(rows)
def test_the_winner_is_on_the_front_and_has_the_best_score_there(plans):
    ranked, winner = decide([candidate(i, *row) for i, row in enumerate(plans)], goal(), 1)
    front = [c for c in ranked if c.pareto]
    assert winner == max(front, key=lambda c: (c.utility, -c.number)).number
    assert ranked[0].number == winner


@pytest.mark.parametrize("kind", ["balanced", "latency", "size", "memory", "energy", "accuracy"])
def test_the_terms_add_up_to_the_score(kind):
    ranked, _ = decide([candidate(0, 50.0), candidate(1, 20.0), candidate(2, 9.0, 1.0, 3.0, 0.2)], goal(kind), 1)
    for c in ranked:
        assert c.utility == pytest.approx(sum(c.terms.values()), abs=1e-3)


def test_a_ring_of_ties_still_has_a_winner(monkeypatch):
    ring = {0: 1, 1: 2, 2: 0}
    monkeypatch.setattr("advisor.ranking.rank.dominators", lambda alive, ties: ring)
    assert decide([candidate(0, 20.0), candidate(1, 20.0), candidate(2, 10.0)], goal(), 1)[1] == 2


@pytest.mark.parametrize(("latency", "winner"), [(19.0, 1), (10.0, 2)])
def test_steps_must_pay_for_themselves(latency, winner):
    from advisor.techniques.half.step import Half

    stepped = candidate(2, latency, plan=Plan(steps=(Half(),), runtime="onnxruntime"))
    assert decide([candidate(0, 50.0), candidate(1, 20.0), stepped], goal(), 1)[1] == winner


@pytest.mark.parametrize(("low", "advice"), [(None, 0.0), (1.3, 0.45), (0.8, 0.0)])
def test_favour_of_rules_needs_measurements_against_a_predicted_slowdown(low, advice):
    slower = Gain(metric=Metric.LATENCY, baseline="onnxruntime/cpu", low=0.6, mid=0.8, high=1.1)
    said = (finding("HW-03", "prefer"),)
    if low is not None:
        said += (finding("HW-03d", "estimate", metric="latency_ms", low=low, high=2.0),)
    ranked, _ = decide(
        [candidate(0, 50.0), candidate(1, 20.0), candidate(2, 25.0, gains={Metric.LATENCY: slower}, findings=said)],
        goal(), 1,
    )  # fmt: skip
    assert next(c for c in ranked if c.number == 2).terms["rules"] == pytest.approx(advice)


@pytest.mark.parametrize(
    ("said", "balance"),
    [
        ([("prefer", 0.9), ("avoid", 0.35)], 0.9),
        ([("prefer", 0.35), ("avoid", 0.9)], -0.9),
        ([("prefer", 0.65), ("avoid", 0.65)], 0.0),  # the same evidence for opposite advice decides nothing
    ],
)
def test_the_most_certain_of_the_rules_on_the_same_evidence_speaks_in_any_order(said, balance):
    found = [finding(f"A-0{i}", kind, weight=weight, same_evidence="x") for i, (kind, weight) in enumerate(said)]
    assert rule_balance(tuple(found)) == rule_balance(tuple(reversed(found))) == balance
