import pytest

import advisor.techniques  # noqa: F401 - registers the steps
from advisor.errors import GoalError
from advisor.ranking.explain import why
from advisor.ranking.why_not import telling_values, why_not
from advisor.schema import Gain, Metric, Plan, TraceNode, Truth
from advisor.techniques.half.step import Half
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.static_int8.step import StaticInt8
from tests.ranking.builders import candidate, finding, goal, recommendation

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
    assert "what would pass: >= 16" in said


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
    assert telling_values(outer) == ("plan.bits_w (8) < 16 holds; what would pass: >= 16",)
    assert telling_values(None) == ()


def int8(runtime: str = "onnxruntime", **settings) -> Plan:
    return Plan(steps=(StaticInt8(**settings),), runtime=runtime)


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        ("2", 2),
        ("#3", 3),
        ("static_int8", 2),
        ("Static-Int8@ncnn", 4),
        ("static_int8@ncnn/cpu", 4),
        ("static_int8:method=percentile", 3),
        ("static_int8:method=percentile,calibration_images=64@onnxruntime", 3),
        ("prune_channels:ratio=0.5+static_int8", 5),
        ("@onnxruntime", 1),
    ],
)
def test_a_plan_is_found_by_what_it_does_its_settings_and_where_it_runs(wanted, number):
    both = Plan(steps=(PruneChannels(ratio=0.5), StaticInt8()), runtime="onnxruntime")
    rec = recommendation(
        candidate(0, 50.0),
        candidate(1, 5.0),
        candidate(2, 20.0, plan=int8()),
        candidate(3, 21.0, plan=int8(method="percentile", calibration_images=64)),
        candidate(4, 22.0, plan=int8("ncnn")),
        candidate(5, 23.0, plan=both),
    )
    assert why_not(rec, wanted).candidate.number == number


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ("static_int8:metod=minmax", "method"),
        ("static_int8@", "TECHNIQUE@RUNTIME"),
        ("", "names no plan"),
        ("@", "names no plan"),
    ],
)
def test_a_wish_that_cannot_be_read_is_refused_with_what_would_be_right(wanted, says):
    with pytest.raises(GoalError, match=says):
        why_not(recommendation(candidate(0, 50.0), candidate(1, 20.0)), wanted)


@pytest.mark.parametrize(
    ("wanted", "facts", "says"),
    [
        ("dynamic_int8", {"model.linear_mac_share": 0.0}, "model.linear_mac_share (0) > 0 does not hold"),
        ("static_int8", {"model.quantized": True}, "float weights"),
        ("low_rank", {"model.quantized": False}, "two thin ones cost less"),
        ("half@tensorrt", {}, "board has no path tensorrt; it has "),
        ("half+weight_only", {}, "share the stage 'quantize'"),
    ],
)
def test_a_plan_that_was_never_proposed_tells_what_was_lacking(wanted, facts, says):
    plans = [Plan(steps=(Half(),), runtime="onnxruntime"), Plan(steps=(weight_only(),), runtime="onnxruntime")]
    some = [candidate(n, 30.0, plan=plan) for n, plan in enumerate(plans, 2)] if "+" in wanted else []
    rec = recommendation(candidate(0, 50.0), candidate(1, 20.0), *some, facts=facts)
    assert says in " ".join(why_not(rec, wanted).answer)


def weight_only():
    from advisor.techniques.weight_only.step import WeightOnly

    return WeightOnly()


def test_a_runtime_that_was_not_considered_is_told_apart_from_one_that_is_not_there():
    rec = recommendation(candidate(0, 50.0), candidate(1, 20.0)).model_copy(update={"device": "raspberry-pi-4b"})
    assert "--what-if runtime=ncnn" in why_not(rec, "static_int8@ncnn").answer[1]


def test_a_missed_limit_is_told_with_how_far_and_how_probable():
    rec = recommendation(
        candidate(0, 50.0), candidate(1, 8.0), candidate(2, 12.0, plan=HALF), wanted=goal(latency=10.0)
    )
    said = " ".join(why_not(rec, "half").answer)
    assert "limit on latency is missed by 20 %" in said
    assert "from 12.0 to 10.0 ms" in said
    assert "chance of meeting it" in said


def test_a_dominated_plan_is_held_against_the_one_that_beats_it():
    rec = recommendation(candidate(0, 50.0), candidate(1, 20.0), candidate(2, 30.0, plan=HALF))
    assert rec.by_number[2].dominated_by == 1
    assert "latency 20.0 against 30.0 ms" in " ".join(why_not(rec, "2").answer)


def test_a_better_score_that_does_not_win_is_explained():
    small = candidate(2, 5.0, size=2.0, plan=HALF)
    rec = recommendation(candidate(0, 50.0), candidate(1, 20.0), small, wanted=goal(latency=60.0))
    assert rec.winner == 1
    assert rec.by_number[2].utility > rec.by_number[1].utility
    assert "needs no compression" in " ".join(why_not(rec, "half").answer)


def test_why_tells_what_each_rule_adds_and_counts_the_same_evidence_once():
    said = (
        finding("A-01", "prefer", weight=0.9, same_evidence="x"),
        finding("A-02", "prefer", weight=0.65, same_evidence="x"),
        finding("B-01", "avoid", weight=0.35),
    )
    found = why(recommendation(candidate(0, 50.0), candidate(1, 20.0, findings=said)), 1)
    assert found.points == {"A-01": 0.45, "A-02": 0.0, "B-01": -0.175}
    assert sum(found.points.values()) == pytest.approx(found.candidate.terms["rules"])
    assert "A-01 and A-02 rest on the same evidence and count once." in found.answer


def test_favour_that_a_slowdown_outweighs_adds_nothing():
    slower = Gain(metric=Metric.LATENCY, baseline="onnxruntime/cpu", low=0.6, mid=0.8, high=1.1)
    one = candidate(2, 25.0, gains={Metric.LATENCY: slower}, findings=(finding("A-01", "prefer"),))
    found = why(recommendation(candidate(0, 50.0), candidate(1, 20.0), one), 2)
    assert found.points == {"A-01": 0.0}
    assert "predicted slowdown" in " ".join(found.answer)


def clause(text: str, passes_if: str) -> TraceNode:
    return TraceNode(text=text, shown=text, truth=Truth.TRUE, passes_if=passes_if)


@pytest.mark.parametrize(
    ("clauses", "told"),
    [
        ((("plan.x > dev.x", "<= 2 MB"), ("dev.kind in {'mcu'}", "not in {'mcu'}"), ("dev.x > 0", "<= 0 B")), 0),
        ((("plan.precision == 'fp16'", "!= 'fp16'"), ("'fp16' not in rt.precisions", "rt.precisions holds 'fp16'")), 1),
        ((("plan.precision == 'fp16'", "!= 'fp16'"), ("dev.kind == 'mcu'", "!= 'mcu'")), 1),
        ((("plan.precision == 'fp16'", "!= 'fp16'"),), 0),
    ],
)  # fmt: skip
def test_the_most_telling_clause_is_named(clauses, told):
    whole = TraceNode(text="all", shown="all", truth=Truth.TRUE, children=tuple(clause(*c) for c in clauses))
    (found,) = telling_values(whole)
    assert found.startswith(clauses[told][0])
