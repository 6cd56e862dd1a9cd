"""What outcomes teach of a device, and which of them are set aside with which reason."""

import pytest

from advisor.learning.outcomes.lessons import learn
from advisor.prediction.figures import figures_version
from advisor.schema import Metric

from .builders import figure, outcome


def many(count, off=1.0, **fields):
    return [outcome(n, off, **fields) for n in range(count)]


def lesson(found, metric=Metric.LATENCY, form="int8", network="", threads=1):
    (one,) = [
        x for x in found.lessons
        if (x.metric, x.form, x.network, x.threads) == (metric, form, network, threads)
    ]  # fmt: skip
    return one


def test_no_outcomes_teach_nothing():
    assert learn([], "host", "cpu").lessons == ()


def test_the_lesson_counts_what_was_seen_and_points_where_the_measurements_lie():
    found = learn([*many(4), outcome(9, 1.0, elsewhere=True)], "host", "cpu")
    assert found.outcomes == 5
    assert (lesson(found).times, lesson(found).elsewhere) == (5, 1)
    assert 0.5 < lesson(found).shift < 1.0
    assert lesson(found).predictor == "roofline"


def test_a_network_that_was_seen_has_a_lesson_of_its_own():
    found = learn([*many(6, 0.0), outcome(20, 1.5, network="odd"), outcome(21, 1.5, network="odd")], "host", "cpu")
    assert lesson(found, network="odd").shift > 2 * lesson(found).shift > 0


def test_other_forms_and_threads_learn_less():
    found = learn(many(8), "host", "cpu")
    unseen = [lesson(found, form=""), lesson(found, threads=0)]
    assert all(0 < one.shift < lesson(found).shift for one in unseen)
    assert unseen[0].times == 0


@pytest.mark.parametrize(("device", "machine"), [("host", "another cpu"), ("board", "cpu"), ("board", "")])
def test_time_measured_elsewhere_says_nothing_of_this_device(device, machine):
    assert learn(many(5), device, machine).lessons == ()


def test_size_and_accuracy_are_learnt_from_every_device():
    figures = (figure(1.0, Metric.SIZE, predictor="file size"), figure(1.0, Metric.ACCURACY, mid=-1.0))
    found = learn(many(5, device="board", machine="", figures=figures), "host", "cpu")
    assert {(one.metric, one.form) for one in found.lessons if one.form} == {
        (Metric.SIZE, "int8"), (Metric.ACCURACY, "static_int8"),
    }  # fmt: skip


@pytest.mark.parametrize(("digest", "times"), [("one", 1), ("other", 2)])
def test_size_and_accuracy_of_one_artefact_count_once(digest, times):
    """Measured again, or on a board, they are the same figure; of other weights they are another."""
    figures = (figure(1.0, Metric.ACCURACY, mid=-1.0), figure(0.5))
    first = outcome(1, figures=figures, model_digest="one")
    again = outcome(1, figures=(figures[0], figure(0.6)), model_digest=digest, device="host")
    found = learn([first, again], "host", "cpu")
    assert lesson(found, Metric.ACCURACY, "static_int8", threads=0).times == times
    assert lesson(found).times == 2


def test_the_unchanged_model_measured_beside_teaches_its_own_form():
    found = learn(many(4, unchanged=(figure(2.0),)), "host", "cpu")
    assert lesson(found, form="fp32").shift > lesson(found, form="int8").shift > 0
    assert lesson(found, form="fp32").times == 4


def test_a_corrected_prediction_is_learnt_from_as_it_was_before():
    """Else a correction that works would unlearn itself."""
    corrected = figure(0.0, mid=16.4, raw=(figure().low, 10.0, figure().high), hit=True)
    plain = learn(many(5, figures=(figure(0.0, measured=16.4),)), "host", "cpu")
    again = learn(many(5, figures=(corrected,)), "host", "cpu")
    assert corrected.measured == pytest.approx(16.4)
    assert lesson(again).shift == pytest.approx(lesson(plain).shift)
    assert lesson(again).shift > 0.5


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"figures": (figure(measured=10_000.0),)}, "a factor of 1,000 above the prediction"),
        ({"figures": (figure(measured=0.0095),)}, "a factor of 1,000 below the prediction"),
        ({"figures": (figure(measured=1.1e7),)}, "a factor of 1,000,000 above the prediction"),
        ({"figures": (figure(measured=150.0),)}, "far from the prediction, and no others confirm it"),
        ({"figures": (figure(conclusive=False, hit=None, note="the CPU throttled itself 3 times"),)},
         "inconclusive: the CPU throttled itself 3 times"),
        ({"environment": {"throttled": "the CPU throttled itself 2 times"}}, "slowed down meanwhile: the CPU"),
        ({"figures": (figure(measured=-1.0),)}, "zero or less"),
        ({"figures": (figure(figures="of old"),)}, "rest on has changed since"),
        ({"random_weights": True, "figures": (figure(0, Metric.ACCURACY),)}, "weights were random"),
        ({"accuracy_metric": "mAP", "figures": (figure(0, Metric.ACCURACY),)}, "measured was mAP"),
    ],
)  # fmt: skip
def test_what_teaches_nothing_is_set_aside_with_its_reason(fields, reason):
    clean = learn(many(12), "host", "cpu")
    spoilt = learn([*many(12), outcome(30, **fields)], "host", "cpu")
    (doubt,) = spoilt.doubts
    assert reason in doubt.reason
    assert lesson(spoilt).shift == lesson(clean).shift
    assert lesson(spoilt).times == 12


def test_errors_of_the_figures_that_predict_today_are_learnt_from():
    today = many(5, figures=(figure(0.0, measured=16.4, figures=figures_version(Metric.LATENCY)),))
    assert lesson(learn(today, "host", "cpu")).times == 5


@pytest.mark.parametrize("share", [1, 3])
def test_wrong_units_do_not_confirm_each_other(share):
    spoilt = [outcome(40 + n, figures=(figure(measured=9_000.0 + n),)) for n in range(share)]
    found = learn([*many(12), *spoilt], "host", "cpu")
    assert len(found.doubts) == share
    assert lesson(found).shift == lesson(learn(many(12), "host", "cpu")).shift


def test_what_is_far_off_is_believed_once_others_confirm_it():
    shifts = [lesson(found).shift if (found := learn(many(n, 5.0), "host", "cpu")).lessons else 0.0 for n in (1, 3, 12)]
    assert shifts[0] == 0.0
    assert 0 < shifts[1] < shifts[2]
    assert shifts[2] > 4


@pytest.mark.parametrize(("date", "lessons"), [("2025-12-31", True), ("2026-01-02", False), ("", True)])
def test_what_an_earlier_calibration_predicted_says_nothing_of_the_present_one(date, lessons):
    told = many(4, figures=(figure(1.0, predictor="calibrated"),))
    assert bool(learn(told, "host", "cpu", date).lessons) is lessons
    assert learn(many(4), "host", "cpu", date).lessons  # other predictors have no such date


@pytest.mark.parametrize(
    "absurd",
    [{"measured": 1e308, "mid": 1e-300, "low": 1e-300, "high": 2e-300}, {"measured": 5e-324},
     {"measured_low": 1e-308, "measured_high": 1e308},
     {"metric": Metric.ACCURACY, "measured_low": -1e308, "measured_high": 1e308}],
)  # fmt: skip
def test_absurd_figures_that_somebody_imports_change_nothing(absurd):
    clean = learn(many(12), "host", "cpu")
    found = learn([*many(12), outcome(60, figures=(figure(**absurd),)), outcome(61, figures=(figure(**absurd),))],
                  "host", "cpu")  # fmt: skip
    assert lesson(found).shift == pytest.approx(lesson(clean).shift, abs=0.02)
    assert all(abs(one.shift) < 3 and one.width > 0 for one in found.lessons)


def test_times_that_scatter_count_less():
    calm, wild = (
        learn([outcome(1, figures=(figure(1.5, measured_low=low, measured_high=high),))], "host", "cpu")
        for low, high in ((21.0, 21.2), (10.0, 40.0))
    )
    assert 0 < lesson(wild).shift < 0.8 * lesson(calm).shift


def test_slow_runs_among_many_are_named():
    found = learn([*(outcome(n, 0.3 * (-1) ** n) for n in range(30)), outcome(50, 3.5)], "host", "cpu")
    (doubt,) = found.doubts
    assert doubt.outcome == outcome(50, 3.5).id
    assert doubt.reason == "far from what others here show"


@pytest.mark.parametrize("change", [{"hit": None}, {"low": 10.0, "high": 10.0}, {"low": None}])
def test_what_was_not_predicted_or_exactly_or_for_another_device_teaches_nothing(change):
    found = learn(many(5, figures=(figure(1.0, **change),)), "host", "cpu")
    assert found.lessons == ()
    assert found.doubts == ()
