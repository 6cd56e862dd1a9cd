"""Predictions as outcomes of the device correct them; without outcomes they are what they were."""

from math import exp, log

import pytest

from advisor.prediction import predict, predict_gain
from advisor.prediction.query import Query
from advisor.prediction.seen import Z80, corrected, network_key, times_seen
from advisor.schema import Estimate, Lesson, Metric, Seen
from advisor.techniques import preview_plan
from advisor.techniques.static_int8.step import StaticInt8

from .networks import board, conv_net, plain


def answers(device, steps=()):
    network = conv_net()
    plan = plain().model_copy(update={"steps": steps})
    return predict(plan, network, preview_plan(plan, network), device, {})


def taught(*lessons, **fields):
    return board(**fields).model_copy(update={"lessons": lessons})


def lesson(metric=Metric.LATENCY, **fields):
    predictor = answers(board())[metric].predictor
    given = {"metric": metric, "predictor": predictor, "runtime": plain().path, "times": 4, "shift": 1.0, "width": 0.5}
    return Lesson(**given | fields)


def test_a_device_without_lessons_predicts_as_before():
    before = {metric: estimate.model_dump() for metric, estimate in answers(board()).items()}
    after = {metric: estimate.model_dump() for metric, estimate in answers(taught()).items()}
    assert before == after
    assert all(estimate["seen"] is None for estimate in after.values())


@pytest.mark.parametrize("shift", [-1.5, 0.0, 0.8])
def test_a_lesson_moves_the_middle_by_claimed_deviations_and_scales_the_interval(shift):
    before, after = (answers(d)[Metric.LATENCY] for d in (board(), taught(lesson(shift=shift))))
    side = log(before.high / before.mid) if shift > 0 else log(before.mid / before.low)
    assert after.mid == pytest.approx(before.mid * exp(shift * side / Z80))
    assert log(after.high / after.mid) == pytest.approx(0.5 * log(before.high / before.mid))
    assert log(after.mid / after.low) == pytest.approx(0.5 * log(before.mid / before.low))
    assert after.seen == Seen(times=4, low=before.low, mid=before.mid, high=before.high)
    assert "seen here 4 times" in after.note
    assert after.basis is before.basis


def test_of_accuracy_points_and_risks_move():
    plan = plain().model_copy(update={"steps": (StaticInt8(),)})
    query = Query(plan, conv_net(), conv_net(), taught(lesson(Metric.ACCURACY, runtime="", form="static_int8",
                                                              predictor="p", shift=-1.0, width=1.0)))  # fmt: skip
    before = Estimate(metric=Metric.ACCURACY, low=-2.0, mid=-0.5, high=0.5, basis="published", predictor="p",
                      risks={"loses more than 1 point": 0.3, "loses more than 5 points": 0.001,
                             "rain": 0.5})  # fmt: skip
    after = corrected(query, before)
    assert after.mid == pytest.approx(-0.5 - 1.5 / Z80)
    assert (after.mid - after.low, after.high - after.mid) == pytest.approx((1.5, 1.0))
    assert after.risks["loses more than 1 point"] > 0.5
    assert after.risks["rain"] == 0.5
    assert 0.001 < after.risks["loses more than 5 points"] < 0.1


def test_shares_of_the_memory_still_add_up_to_it():
    after = answers(taught(lesson(Metric.MEMORY)))[Metric.MEMORY]
    assert after.parts
    assert sum(after.parts.values()) == pytest.approx(after.mid, rel=1e-6)


def test_energy_follows_the_corrected_latency():
    before, after = (answers(d) for d in (board(power=4.0), taught(lesson(), power=4.0)))
    ratio = after[Metric.LATENCY].mid / before[Metric.LATENCY].mid
    assert after[Metric.ENERGY].mid / before[Metric.ENERGY].mid == pytest.approx(ratio)


def test_an_exact_figure_is_not_moved():
    query = Query(plain(), conv_net(), conv_net(), taught(lesson(Metric.ACCURACY, runtime="")))
    exact = Estimate(metric=Metric.ACCURACY, low=0, mid=0, high=0, basis="exact", predictor="accuracy priors")
    assert corrected(query, exact) is exact


KEY = network_key(conv_net().macs, conv_net().params)


# From the most general lesson to that of this very network; each says how often it was seen, to be told apart.
GENERAL = (
    {"times": 10},
    {"times": 11, "threads": 1},
    {"times": 12, "threads": 1, "form": "fp32"},
    {"times": 13, "threads": 1, "form": "fp32", "network": KEY},
)


@pytest.mark.parametrize(
    ("change", "of", "chosen"),
    [
        ({}, (3,), 13),
        ({"network": "another"}, (3,), 12),
        ({"predictor": "another"}, (3,), 12),
        ({"runtime": "tensorrt/gpu"}, (3,), 12),
        ({"metric": Metric.MEMORY}, (3,), 12),
        ({"form": "int8"}, (2, 3), 11),
        ({"threads": 7}, (1, 2, 3), 10),
    ],
    ids=str,
)
def test_the_nearest_lesson_that_fits_counts(change, of, chosen):
    lessons = [lesson(**one | (change if place in of else {})) for place, one in enumerate(GENERAL)]
    plan = plain().model_copy(update={"threads": 1})
    found = predict(plan, conv_net(), conv_net(), taught(*lessons), {})[Metric.LATENCY]
    assert found.seen.times == chosen


def test_a_gain_rests_on_both_corrected_times():
    network, plan = conv_net(), plain().model_copy(update={"steps": (StaticInt8(),)})
    after = preview_plan(plan, network)

    def gain(device):
        return predict_gain(plan, plain(), network, network, after, device, {})[Metric.LATENCY].mid

    alike = taught(lesson(form="int8"), lesson(form="fp32"))
    slower = taught(lesson(form="int8"), lesson(form="fp32", shift=0.0))
    assert gain(slower) < gain(board())
    assert gain(alike) == pytest.approx(gain(board()), rel=0.2)


@pytest.mark.parametrize(
    ("times", "elsewhere", "said"),
    [(1, 0, "seen here 1 time"), (4, 0, "seen here 4 times"), (3, 3, "seen elsewhere 3 times"),
     (5, 2, "seen here 3 times and elsewhere 2 times"), (0, 0, "other plans seen here")],
)  # fmt: skip
def test_how_often_is_said_in_words(times, elsewhere, said):
    assert times_seen(Seen(times=times, elsewhere=elsewhere, low=1, mid=1, high=1)) == said
