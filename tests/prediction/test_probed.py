"""What a probe makes of a predicted accuracy."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from advisor.prediction.probed import evidence, updated, with_probe
from advisor.prediction.query import Answer
from advisor.schema import Basis, Estimate, Metric, Plan, Probed, ProbeRecord
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.static_int8.step import StaticInt8

INT8 = Plan(steps=(StaticInt8(),), runtime="onnxruntime", unit="cpu")
HALF = Plan(steps=(PruneChannels(ratio=0.5, epochs=10),), runtime="onnxruntime", unit="cpu")


def prior(low=-2.0, mid=-0.5, high=0.2):
    return Estimate(metric=Metric.ACCURACY, low=low, mid=mid, high=high, basis=Basis.PUBLISHED, predictor="prior")


def looked(delta=None, error=None, plan=INT8, agreement=99.0, images=1000, **fields):
    return Probed(plan=plan, images=images, agreement=agreement, delta=delta, standard_error=error, **fields)


def probe(*probed, **fields):
    return ProbeRecord(budget_s=60, runtime="onnxruntime", images=1000, probed=probed, **fields)


def after(found, before=None, runtime="onnxruntime", **fields):
    return updated(prior() if before is None else before, found, probe(found, **fields), runtime)


def width(estimate):
    return estimate.high - estimate.low


def test_a_measurement_narrows_the_interval_and_moves_it():
    found = after(looked(-0.1, 0.2))
    assert found.basis is Basis.MEASURED
    assert width(found) < width(prior())
    assert -0.4 < found.mid < 0.0


def test_a_measurement_that_contradicts_what_was_published_wins():
    found = after(looked(-30.0, 1.0, agreement=60.0))
    assert found.mid == pytest.approx(-30, abs=1)
    assert found.risks["loses more than 5 points"] > 0.99


def test_nothing_measured_on_few_images_says_little():
    few, many = after(looked(0.0, 0.0, images=40, agreement=100)), after(looked(0.0, 0.0, images=4000, agreement=100))
    assert width(few) > width(many)


def test_without_labels_no_more_is_lost_than_has_changed():
    found = after(looked(agreement=98.0))
    assert found.basis is Basis.FITTED
    assert -3 < found.low <= found.mid < 0.1
    assert "no accuracy" in found.note


@pytest.mark.parametrize(
    ("wider", "narrower"),
    [
        (after(looked(-0.5, 0.1), runtime="hailort"), after(looked(-0.5, 0.1))),
        (after(looked(-2.0, 0.1), seen=True), after(looked(-2.0, 0.1))),
        (
            after(looked(-4.0, 0.3, plan=HALF, epochs=5, planned=10)),
            after(looked(-4.0, 0.3, plan=HALF, epochs=10, planned=10)),
        ),
    ],
    ids=["another quantizer", "images the network was trained on", "half of the training"],
)
def test_what_is_farther_from_the_shipped_file_leaves_more_doubt(wider, narrower):
    assert width(wider) > width(narrower)


def test_what_easy_images_do_not_show_is_reckoned_with():
    still = looked(0.0, 0.0, agreement=100.0)
    known, unknown = (evidence(still, same_file=True, seen=seen)[1] for seen in (False, True))
    assert unknown > known + 0.1


def test_a_shorter_training_is_expected_to_go_on():
    short = looked(-4.0, 0.3, plan=HALF, epochs=5, planned=10)
    assert -4.0 < evidence(short, same_file=True, seen=False)[0] < 0


def test_only_the_probed_network_is_updated_and_the_prior_stays_in_the_trace():
    answers = {Metric.ACCURACY: (Answer(0.5, prior()),)}
    known = probe(looked(-0.1, 0.2))
    changed = with_probe(answers, INT8, known)[Metric.ACCURACY]
    assert [answer.estimate.predictor for answer in changed] == ["probe", "prior"]
    assert with_probe(answers, HALF, known) == answers
    assert with_probe(answers, INT8, None) == answers


def test_the_sign_of_the_integers_makes_no_other_network():
    other = INT8.model_copy(update={"steps": (StaticInt8(signedness="u8s8"),), "runtime": "ncnn"})
    assert probe(looked(-0.1, 0.2)).of(other) is not None
    assert probe(looked(-0.1, 0.2)).of(Plan(steps=(StaticInt8(method="entropy"),), runtime="ncnn")) is None


def test_a_plan_that_could_not_be_looked_at_changes_nothing():
    assert probe(Probed(plan=INT8, reason="for the time did not suffice")).of(INT8) is None


def test_without_a_prior_the_measurement_speaks():
    found = updated(None, looked(-1.0, 0.2), probe(looked(-1.0, 0.2)), "onnxruntime")
    assert found.mid == pytest.approx(-1.0, abs=0.2)


@given(
    delta=some.floats(-90, 5), error=some.floats(0, 5), low=some.floats(-50, -0.1), images=some.integers(10, 5000),
    agreement=some.floats(0, 100),
)  # fmt: skip
def test_the_answer_is_an_interval_with_probabilities(delta, error, low, images, agreement):
    for found in (looked(delta, error, images=images, agreement=agreement), looked(images=images, agreement=agreement)):
        estimate = after(found, prior(low, low / 2, 0.5))
        assert estimate.low < estimate.mid < estimate.high
        one, five = estimate.risks.values()
        assert 0 <= five <= one + 1e-9 <= 1 + 1e-9
