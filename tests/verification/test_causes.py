"""Every miss has a cause with the rules that speak of it; every cause is described and names rules that exist."""

from pathlib import Path

import pytest

import advisor.prediction
from advisor.rules.sources import rules_in_use
from advisor.schema import DataRecord, Metric, PreviewCheck
from advisor.verification import causes
from advisor.verification.causes import BEYOND, cause_of, known_causes

from .test_verdicts import BASE, estimate, judged, measurement, record, step

FLOATS = {**BASE, "heavy_float": "11", "heavy_int8": "10", "quantize_nodes": "63"}
FUSED = {**BASE, "heavy_float": "0", "heavy_int8": "10", "quantize_nodes": "63"}
UNLIKE = PreviewCheck(quantity="macs", previewed=1, actual=2)
CUT = step(widths={"a": [16, 11]})


@pytest.mark.parametrize(
    ("value", "fields", "cause"),
    [
        (20, {"precision": "int8", "environment": FLOATS}, "fall_back"),
        (20, {"precision": "int8-dynamic", "environment": FLOATS}, "fall_back"),
        (20, {"precision": "fp32", "environment": FLOATS}, "uncalibrated"),
        (20, {"precision": "int8", "environment": FUSED}, "fusion"),
        (20, {"precision": "bf16"}, "emulated"),
        (20, {"checks": (UNLIKE,)}, "preview"),
        (20, {"steps": (CUT,)}, "alignment"),
        (20, {"environment": {**BASE, "load_average": "3.0"}}, "load"),
        (20, {"environment": {**BASE, "load_average": "unknown"}}, "uncalibrated"),
        (5, {"precision": "int8", "environment": FLOATS}, "uncalibrated"),
        (5, {"steps": (CUT,)}, "uncalibrated"),
    ],
)
def test_a_wrong_latency_has_the_cause_that_the_record_bears_out(value, fields, cause):
    found = judged(predicted=[estimate(Metric.LATENCY, 8, 12)], measured=[measurement(Metric.LATENCY, value)], **fields)
    verdict = found[Metric.LATENCY]
    assert (verdict.hit, verdict.cause) == (False, cause)
    assert verdict.rules == known_causes()[cause].rules


@pytest.mark.parametrize(
    ("basis", "note", "cause"),
    [("roofline", "", "weak_basis"), ("assumed", "", "weak_basis"), ("fitted", "", "uncalibrated"),
     ("calibrated", "", "out_of_range"), *(("fitted", f"5 % of it, {mark}, x", "out_of_range") for mark in BEYOND)],
)  # fmt: skip
def test_what_the_prediction_rests_on_is_the_cause_where_nothing_else_is(basis, note, cause):
    predicted = estimate(Metric.LATENCY, 8, 12, basis=basis).model_copy(update={"note": note})
    assert cause_of(record(), predicted, measurement(Metric.LATENCY, 30)).key == cause


def test_predictors_still_write_what_marks_the_end_of_their_range():
    room = Path(advisor.prediction.__file__).parent
    written = "".join(path.read_text() for path in room.rglob("*.py"))
    assert all(mark in written for mark in BEYOND)


@pytest.mark.parametrize(
    ("note", "cause"),
    [("the CPU throttled itself 3 times", "throttling"), ("the board reports low voltage or throttling", "throttling"),
     ("the hottest zone was at 91 °C", "throttling"), ("the ratio of medians is 1.2, that of minima 1.5", "noise")],
)  # fmt: skip
def test_a_measurement_that_says_nothing_names_what_disturbed_it(note, cause):
    measured = measurement(Metric.LATENCY, 10, conclusive=False, note=note)
    verdict = judged(predicted=[estimate(Metric.LATENCY, 8, 12)], measured=[measured])[Metric.LATENCY]
    assert (verdict.hit, verdict.cause) == (None, cause)
    assert "VM-03" in verdict.rules


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"environment": {"threads": "1", "threads_predicted": "8"}}, "for 8 threads, measured was with 1"),
        ({"on_this_machine": False}, "still a prediction"),
    ],
)
def test_what_was_measured_in_another_setup_says_so(fields, said):
    found = judged(predicted=[estimate(Metric.LATENCY, 8, 12)], measured=[measurement(Metric.LATENCY, 30)], **fields)
    verdict = found[Metric.LATENCY]
    assert (verdict.hit, verdict.cause) == (None, "other_setup")
    assert said in verdict.explanation


IMAGES = DataRecord(origin="o", classes=("a",), train=0, calibration=500, test=9, digest="d")


@pytest.mark.parametrize(
    ("value", "fields", "cause"),
    [
        (-9, {"environment": {**BASE, "random_weights": "true"}}, "random_weights"),
        (-9, {"steps": (CUT,)}, "untrained_cut"),
        (15, {"steps": (step(epochs=3),)}, "better_by_training"),
        (-9, {"precision": "int8"}, "few_images"),
        (-9, {"precision": "int8", "data": IMAGES}, "other_data"),
    ],
)
def test_a_wrong_accuracy_has_a_cause(value, fields, cause):
    found = judged(
        predicted=[estimate(Metric.ACCURACY, -1, 0)], measured=[measurement(Metric.ACCURACY, value)], **fields
    )
    assert found[Metric.ACCURACY].cause == cause


def test_a_hit_has_no_cause():
    verdict = judged(predicted=[estimate(Metric.LATENCY, 8, 12)], measured=[measurement(Metric.LATENCY, 9)])
    assert (verdict[Metric.LATENCY].cause, verdict[Metric.LATENCY].rules) == ("", ())


def test_every_cause_is_described_and_its_rules_exist():
    ids = {entry.rule.id for entry in rules_in_use(())}
    written = Path(causes.__file__).read_text() + Path(causes.__file__).with_name("verdicts.py").read_text()
    assert all(f'"{key}"' in written for key in known_causes())
    assert {rule for known in known_causes().values() for rule in known.rules} <= ids
