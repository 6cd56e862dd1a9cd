"""A real recommendation, questioned in every way."""

from functools import cache

import pytest

import advisor
from advisor import questions
from advisor.errors import AdvisorError
from advisor.ranking.proposals import lacking, load_proposals
from advisor.ranking.store import load_recommendation, save_recommendation
from advisor.schema import Goal, Recommendation
from advisor.techniques import load_techniques

pytestmark = pytest.mark.real

# Few plans, so that many questions take seconds: one runtime, and no training.
GOAL = Goal(budget="calibration", runtime="tflite")


@cache
def asked() -> Recommendation:
    return advisor.recommend("timm:mobilenetv2_035", "raspberry-pi-5", goal=GOAL)


def test_the_same_question_is_stored_byte_for_byte_but_for_its_date(tmp_path):
    again = advisor.recommend("timm:mobilenetv2_035", "raspberry-pi-5", goal=GOAL)
    for name, found in (("first", asked()), ("second", again)):
        save_recommendation(found.model_copy(update={"created": "now"}), tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_a_stored_decision_replays(tmp_path):
    save_recommendation(asked(), tmp_path / "plan.json")
    found = questions.replay(load_recommendation(tmp_path / "plan.json"))
    assert found.same, found.answer
    assert len(found.comparisons) == 2


def lost() -> Recommendation:
    """The same plan, whose model cannot be opened again."""
    return asked().model_copy(update={"model_spec": {"workload": "0"}})


def test_every_change_that_is_named_makes_that_plan_win():
    found = questions.counterfactual(lost()).counterfactuals
    assert {"limit", "fact", "goal"} <= {c.kind for c in found}
    for one in found[:4]:
        after = questions.explain(lost(), what_if=(one.change,)).after
        assert (after.recommended and after.recommended.plan.label) == label_of(one), one


@pytest.mark.study
def test_other_budgets_and_devices_are_decided_anew():
    asked_full = advisor.recommend("timm:mobilenetv2_035", "raspberry-pi-5", goal=Goal(budget="calibration"))
    for one in questions.counterfactual(asked_full).counterfactuals:
        after = questions.explain(asked_full, what_if=(one.change,)).after
        assert (after.recommended and after.recommended.plan.label) == label_of(one), one


def test_budgets_are_decided_anew_also_where_no_device_is_alike(monkeypatch):
    monkeypatch.setattr(questions, "alternatives", lambda *_: ())
    monkeypatch.setattr(questions, "smallest_changes", lambda *_, anew, **__: anew)
    assert questions.counterfactual(asked()) is not None
    assert questions.counterfactual(lost()) is None


def label_of(change):
    return None if change.winner is None else change.plan.split("'")[1]


def test_a_model_that_cannot_be_opened_again_still_answers_what_needs_no_model():
    found = questions.explain(lost(), what_if=("budget=none",))
    assert "cannot be opened" in found.answer[-1]
    assert questions.explain(lost(), what_if=("max_drop=0.1",)).after.goal.limits
    with pytest.raises(AdvisorError, match="open its model again"):
        questions.explain(lost(), what_if=("target=jetson-nano",))
    assert not [c for c in questions.replay(lost()).comparisons if "from the start" in c.how]


def test_a_changed_batch_is_profiled_and_predicted_anew():
    found = questions.explain(asked(), what_if=("batch=4",))
    assert found.after.goal.batch == 4
    assert found.after.recommended.preview.input_shapes[0][0] == 4


def test_what_a_technique_lacks_fits_what_is_proposed():
    proposed = {name for c in asked().candidates for name in c.plan.techniques}
    assert set(load_proposals().techniques) == set(load_techniques().techniques)
    for name in load_techniques().techniques:
        failing = [text for text in lacking(name, asked().facts) if "does not hold" in text]
        assert not (failing and name in proposed), name
    assert lacking("prune_transformer", asked().facts)


def test_a_what_if_is_measured_from_what_the_present_rules_say():
    unruled = tuple(c.model_copy(update={"findings": ()}) for c in asked().candidates)
    old = asked().model_copy(update={"knowledge": "0.0.1 of long ago", "candidates": unruled})
    found, usual = (questions.explain(plan, what_if=("max_drop=0.1",)) for plan in (old, asked()))
    assert "The rules have changed" in found.answer[-1]
    assert found.flips == usual.flips
