"""What is not known: what would change the winner first, and how to settle it."""

import pytest

from advisor.ranking.information import weigh_unknowns
from tests.ranking.builders import decided
from tests.ranking.test_counterfactual import VETO, three

PATIENT = {"id": "AB-01", "kind": "warn", "when": "plan.precision == 'int8' and model.weight_decay > 0.1"}
BIAS = {"id": "AB-02", "kind": "prefer", "when": "plan.precision == 'fp32' and model.concat_range_ratio > 10",
        "certainty": "weak"}  # fmt: skip


def weighed(rules, **more):
    return weigh_unknowns(decided(rules, *three(), **more), rules)


def test_a_fact_that_would_change_the_winner_comes_before_one_that_would_not(rules_of):
    found = weighed(rules_of(PATIENT, VETO | {"kind": "avoid", "certainty": "weak"}, VETO | {"id": "AB-09"}))
    assert [w.fact for w in found.wanted] == ["data.calib_n", "model.weight_decay"]
    assert found.wanted[0].decides == ("below 100, #2 'fp16' on onnxruntime/cpu would win",)
    assert found.wanted[1].decides == ()


def test_images_are_counted_by_a_command_and_the_rest_is_told(rules_of):
    found = weighed(rules_of(PATIENT, VETO), model_spec={"spec": "timm:resnet18"})
    settles = {w.fact: w.settle for w in found.wanted}
    assert "advisor recommend timm:resnet18 --target board --data DIR" in settles["data.calib_n"]
    assert "--what-if model.weight_decay=VALUE" in settles["model.weight_decay"]


def test_the_words_begin_with_the_fact_and_the_rules_that_wait_for_it(rules_of):
    (first, *_) = weighed(rules_of(VETO)).unknown
    assert first.startswith("data.calib_n (asked by CA-01): below 100, #2 ")


def test_a_known_fact_is_not_wanted(rules_of):
    assert weighed(rules_of(VETO), facts={"data.calib_n": 500}).wanted == ()


@pytest.mark.parametrize(("aside", "wanted"), [([], ["data.calib_n"]), (["AB-06"], [])])
def test_a_rule_that_another_sets_aside_waits_for_nothing(rules_of, aside, wanted):
    demand = {"id": "AB-06", "kind": "require", "when": "plan.precision == 'int8'", "demand": "data.calib_n > 100"}
    over = {"id": "AB-07", "kind": "warn", "when": "plan.precision == 'int8'", "overrides": aside}
    assert [w.fact for w in weighed(rules_of(demand, over)).wanted] == wanted


def test_a_number_between_thresholds_is_told_by_the_threshold(rules_of):
    rules = rules_of({"id": "AB-03", "when": "plan.precision == 'int8' and model.act_range_max > 100"})
    (found,) = weighed(rules).wanted
    assert found.decides == ("above 100, #2 'fp16' on onnxruntime/cpu would win",)


def test_what_a_profile_lacks_comes_behind_what_can_be_asked(rules_of):
    lacking = {"id": "AB-04", "when": "plan.precision == 'int8' and dev.ram_bytes < 1e6", "certainty": "strong"}
    asked = {"id": "AB-05", "when": "plan.precision == 'int8' and user.certified", "certainty": "weak"}
    found = weighed(rules_of(lacking, asked, PATIENT)).wanted
    assert [w.fact for w in found] == ["user.certified", "dev.ram_bytes", "model.weight_decay"]
    assert [bool(w.decides) for w in found] == [True, True, False]
