"""Ready-made networks in a recommendation: who teaches, who is swapped for, and what is said of either."""

import functools

import pytest

from advisor.pipeline import recommend
from advisor.schema import Goal, Metric

pytestmark = pytest.mark.real


@functools.cache
def candidates(model, shape=None):
    """Return the candidates for a model with a training budget, by technique of their only step."""
    goal = Goal(budget="train")
    options = {} if shape is None else {"input_shape": shape}
    found: dict[str, list] = {"distil": [], "swap": []}
    for one in recommend(model, "raspberry-pi-4b", goal=goal, **options).candidates:
        if len(one.plan.steps) == 1 and one.plan.techniques[0] in found:
            found[one.plan.techniques[0]].append(one)
    return found


def fired(candidate):
    return {finding.rule for finding in candidate.findings}


def test_a_student_that_is_published_as_better_is_flagged_and_swapped_for():
    found = candidates("timm:resnet18")
    flagged = [one for one in found["distil"] if "KD-11" in fired(one)]
    assert flagged
    assert all(one.facts["plan.student_lead_pp"] > 0 for one in flagged)
    assert found["swap"]
    for one in found["swap"]:
        assert one.estimates[Metric.ACCURACY].mid > 0
        assert one.plan.steps[0].epochs > 0
        assert "NO-09" in fired(one)
        assert one.facts["plan.needs"] == "train"


def test_students_are_flagged_by_their_published_lead_alone():
    for one in candidates("timm:resnet50")["distil"]:
        assert ("KD-11" in fired(one)) == (one.facts["plan.student_lead_pp"] > 0)


def test_for_small_grey_images_students_are_proposed_with_what_is_not_known():
    found = candidates("timm:resnet18", shape=(1, 1, 32, 32))
    assert found["swap"] == []
    assert found["distil"]
    for one in found["distil"]:
        assert one.plan.steps[0].size == 32
        assert "KD-12" in fired(one)
        accuracy = one.estimates[Metric.ACCURACY]
        assert accuracy.high - accuracy.low > 8
