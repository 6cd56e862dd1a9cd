import pytest

import advisor.techniques  # noqa: F401 - registers the steps
from advisor.errors import GoalError
from advisor.ranking import decide, nearest
from advisor.ranking.explain import passing_values, why, why_not
from advisor.schema import Plan, Recommendation, TraceNode, Truth
from advisor.techniques.half.step import Half
from tests.ranking.builders import PREVIEW, candidate, finding, goal


def recommendation(*candidates, wanted=None) -> Recommendation:
    wanted = wanted or goal()
    ranked, winner = decide(candidates, wanted, 1)
    return Recommendation(
        engine="0", knowledge="0", profile="p", created="now", model="net", model_source="test", device="board",
        goal=wanted, facts={}, original=PREVIEW, candidates=ranked, winner=winner, baseline=1,
        nearest=nearest(ranked, wanted),
    )  # fmt: skip


HALF = Plan(steps=(Half(),), runtime="onnxruntime")
TRACE = TraceNode(
    text="plan.bits_w < 16", shown="plan.bits_w (8) < 16", truth=Truth.TRUE, passes_if=">= 16",
    children=(TraceNode(text="x", shown="x (1)", truth=Truth.TRUE),),
)  # fmt: skip


def test_why_gives_the_terms_of_the_score_with_the_largest_first():
    rec = recommendation(candidate(0, 50.0), candidate(1, 20.0), candidate(2, 5.0))
    said = " ".join(why(rec, 2).answer)
    assert "#2" in said
    assert "is recommended" in said
    assert "latency_ms +2.00" in said


def test_why_not_a_vetoed_plan_names_the_rule_and_the_value_that_would_pass():
    vetoed = candidate(2, 1.0, plan=HALF, findings=(finding("HW-05", rejects=True, trace=TRACE),))
    said = " ".join(why_not(recommendation(candidate(0, 50.0), candidate(1, 20.0), vetoed), "half").answer)
    assert "HW-05" in said
    assert "would change at >= 16" in said


def test_why_not_a_feasible_plan_compares_the_terms():
    rec = recommendation(candidate(0, 50.0), candidate(1, 20.0), candidate(2, 5.0), candidate(3, 15.0, plan=HALF))
    said = " ".join(why_not(rec, "3").answer)
    assert "The winner is ahead in latency_ms" in said


def test_why_not_a_technique_that_nobody_proposed_says_so():
    answer = why_not(recommendation(candidate(0, 50.0), candidate(1, 20.0)), "low-rank").answer
    assert answer[0].startswith("No plan with low-rank was proposed")


def test_why_not_the_winner_says_that_it_won():
    assert "is the recommendation" in why_not(recommendation(candidate(0, 50.0), candidate(1, 20.0)), "1").answer[0]


def test_a_misspelt_technique_gets_the_nearest_name():
    rec = recommendation(candidate(0, 50.0), candidate(1, 20.0))
    with pytest.raises(GoalError, match="static_int8"):
        why_not(rec, "statik_int8")
    with pytest.raises(GoalError, match="0 to 1"):
        why_not(rec, "17")


def test_passing_values_are_found_anywhere_in_the_trace():
    outer = TraceNode(text="a and b", shown="a and b", truth=Truth.TRUE, children=(TRACE,))
    assert passing_values(outer) == ("plan.bits_w (8) < 16; would change at >= 16",)
    assert passing_values(None) == ()
