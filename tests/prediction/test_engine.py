import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.prediction import explain_absence, predict, predict_all, predict_gain
from advisor.prediction.query import predictors, register
from advisor.schema import Metric
from advisor.techniques import preview_plan
from advisor.techniques.half.step import Half
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.sparsify.step import Sparsify
from advisor.techniques.static_int8.step import StaticInt8
from advisor.techniques.weight_only.step import WeightOnly

from .networks import board, conv_net, plain

STEPS = ((), (StaticInt8(),), (Half(),), (WeightOnly(),), (Sparsify(),), (PruneChannels(ratio=0.5),))


def answers(steps=(), device=None, facts=None):
    network = conv_net()
    plan = plain().model_copy(update={"steps": steps})
    return predict(plan, network, preview_plan(plan, network), device or board(), facts or {})


@pytest.mark.parametrize("steps", STEPS, ids=lambda s: "+".join(x.technique for x in s) or "none")
def test_every_estimate_is_complete_and_finite(steps):
    found = answers(steps, board(power=5.0))
    assert set(found) == set(Metric) - {Metric.FLASH, Metric.THROUGHPUT}  # of firmware and of pipelines
    for metric, estimate in found.items():
        assert estimate.metric is metric
        assert all(math.isfinite(x) for x in (estimate.low, estimate.mid, estimate.high))
        assert estimate.low <= estimate.mid <= estimate.high
        assert estimate.predictor
        assert estimate.note


def test_energy_is_latency_times_power():
    found = answers(device=board(power=4.0))
    assert found[Metric.ENERGY].mid == pytest.approx(4.0 * found[Metric.LATENCY].mid)
    assert found[Metric.ENERGY].high / found[Metric.ENERGY].low > found[Metric.LATENCY].high / found[Metric.LATENCY].low


@pytest.mark.parametrize(
    ("metric", "device", "reason"),
    [
        (Metric.ENERGY, board(), "no power under load"),
        (Metric.LATENCY, board(runtime="tensorrt", unit="gpu"), "no path"),
    ],
)
def test_absent_metrics_are_explained(metric, device, reason):
    network = conv_net()
    assert metric not in predict(plain(), network, network, device, {})
    assert reason in explain_absence(metric, plain(), network, network, device, {})


def test_present_metrics_need_no_explanation():
    network = conv_net()
    assert explain_absence(Metric.SIZE, plain(), network, network, board(), {}) == ""


def test_the_most_confident_answer_comes_first():
    network = conv_net()
    for metric, found in predict_all(plain(), network, network, board(power=3.0), {}).items():
        confidences = [answer.confidence for answer in found]
        assert confidences == sorted(confidences, reverse=True), metric
        assert all(0 < c <= 1 for c in confidences)


def test_two_predictors_of_one_name_are_a_mistake():
    with pytest.raises(ValueError, match="registered twice"):
        register(type(predictors(Metric.SIZE)[0]))


def gains(left, right, **kwargs):
    network = conv_net(channels=64, side=32)
    one, two = (plain().model_copy(update={"steps": s}) for s in (left, right))
    device = board(power=5.0, **kwargs)
    return predict_gain(two, one, network, preview_plan(one, network), preview_plan(two, network), device, {})


def test_a_plan_gains_nothing_over_itself():
    network = conv_net()
    for metric, gain in predict_gain(plain(), plain(), network, network, network, board(power=5.0), {}).items():
        expected = 0.0 if metric is Metric.ACCURACY else 1.0
        assert (gain.low, gain.mid, gain.high) == (expected,) * 3, metric


@pytest.mark.parametrize("step", [Sparsify(), WeightOnly()], ids=lambda s: s.technique)
def test_values_alone_do_not_change_the_speed(step):
    gain = gains((), (step,))[Metric.LATENCY]
    assert gain.mid == pytest.approx(1.0)
    assert 0.9 < gain.low < 1.0 < gain.high < 1.1


def test_a_ratio_is_tighter_than_the_latencies():
    gain = gains((), (PruneChannels(ratio=0.5),))[Metric.LATENCY]
    estimate = answers()[Metric.LATENCY]
    assert gain.mid > 1.0
    assert gain.high / gain.low < estimate.high / estimate.low


def test_int8_shrinks_the_file_and_names_its_baseline():
    gain = gains((), (StaticInt8(),))[Metric.SIZE]
    assert 3.0 < gain.low <= gain.mid <= gain.high < 4.0
    assert gain.baseline == "ncnn/cpu"


def test_accuracy_gains_are_points():
    gain = gains((), (StaticInt8(),))[Metric.ACCURACY]
    assert gain.low < gain.mid < 0


@given(st.floats(0.1, 10), st.floats(5, 500))
def test_ratios_of_one_path_hold_their_order(gbs, gmacs):
    for gain in gains((), (StaticInt8(),), gbs=gbs, gmacs=gmacs).values():
        assert gain.low <= gain.mid <= gain.high
