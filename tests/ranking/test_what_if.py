from functools import cache

import pytest

import advisor
from advisor.ranking.what_if import compare
from advisor.schema import Goal, Recommendation
from tests.ranking.builders import candidate, recommendation


@cache
def asked() -> Recommendation:
    """A question with few plans, so that asking it again takes little."""
    goal = Goal(budget="calibration", runtime="ncnn")
    return advisor.recommend("timm:mobilenetv2_035", "raspberry-pi-5", goal=goal)


@pytest.mark.real
def test_another_target_is_decided_anew_and_named():
    answer = advisor.explain(asked(), what_if=("target=raspberry-pi-3b-plus",))
    assert answer.after.device == "raspberry-pi-3b-plus"
    assert answer.answer[0].startswith("The recommendation for raspberry-pi-3b-plus is ")
    fresh = advisor.recommend("timm:mobilenetv2_035", "raspberry-pi-3b-plus", goal=asked().goal)
    assert answer.after.recommended.plan == fresh.recommended.plan


@pytest.mark.real
def test_facts_hold_on_another_target_too():
    answer = advisor.explain(asked(), what_if=("target=jetson-nano", "data.calib_n=3"))
    assert answer.after.facts["data.calib_n"] == 3


@pytest.mark.real
def test_a_fact_that_was_told_is_no_longer_asked_for():
    wanted = [text.split()[0] for text in asked().unknown]
    assert "data.calib_n" in wanted
    after = advisor.explain(asked(), what_if=("data.calib_n=500",)).after
    assert "data.calib_n" not in [text.split()[0] for text in after.unknown]


def test_plans_are_matched_by_what_they_are_and_not_by_number():
    before = recommendation(candidate(0, 50.0), candidate(1, 20.0))
    other = recommendation(candidate(0, 50.0), candidate(1, 20.0), candidate(7, 5.0, plan=PLAN))
    assert compare(before, other.model_copy(update={"device": "another"}), "q").flips == ()


PLAN = candidate(0, 1.0).plan.model_copy(update={"runtime": "tensorrt"})


@pytest.mark.real
def test_a_power_mode_slows_every_plan_and_is_left_behind_on_another_target():
    goal = Goal(budget="calibration", runtime="ncnn")
    usual = advisor.recommend("timm:mobilenetv2_035", "jetson-nano", goal=goal)
    small = advisor.recommend("timm:mobilenetv2_035", "jetson-nano", goal=goal.model_copy(update={"power_mode": "5W"}))
    before = {c.plan.model_dump_json(): c.estimates for c in usual.candidates}
    slower = [
        c.estimates["latency_ms"].mid / before[key]["latency_ms"].mid
        for c in small.candidates
        if (key := c.plan.model_dump_json()) in before and {"latency_ms"} <= set(before[key]) & set(c.estimates)
    ]
    assert slower
    assert min(slower) > 1.0  # little where starting kernels takes most of the time
    elsewhere = advisor.explain(small, what_if=("target=raspberry-pi-4b",)).after
    assert elsewhere.goal.power_mode is None


@pytest.mark.real
def test_a_board_that_throttles_says_so():
    found = advisor.recommend("timm:mobilenetv2_035", "raspberry-pi-4b", goal=Goal(budget="none"))
    assert any("80 and 85 degrees" in note for note in found.notes)
