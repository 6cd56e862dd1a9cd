import pytest

from advisor.schema import Estimate, Measurement, Metric, Plan, Preview, RunRecord, StepRecord
from advisor.verification.verdicts import reference, verdicts


def estimate(metric, low, high, mid=None, basis="fitted"):
    return Estimate(
        metric=metric, low=low, mid=(low + high) / 2 if mid is None else mid, high=high, basis=basis, predictor="p"
    )


def measurement(metric, value, low=None, high=None, **fields):
    return Measurement(
        metric=metric, value=value, low=value if low is None else low, high=value if high is None else high,
        n=9, method="m", machine="here", runtime="onnxruntime", **fields,
    )  # fmt: skip


def record(
    *, measured=(), predicted=(), here=(), runtime="onnxruntime", on_this_machine=True, precision="fp32", **fields
):
    preview = Preview(
        macs=1, params=1, weight_bytes=4, peak_activation_bytes=4, input_shapes=((1, 3, 8, 8),), precision=precision
    )
    given = {"environment": {"threads": "1", "threads_predicted": "1", "load_average": "0.1"}, **fields}
    return RunRecord(
        engine="0", created="2026-01-01", model="m", device="host" if on_this_machine else "board",
        on_this_machine=on_this_machine, plan=Plan(runtime=runtime), preview=preview,
        predicted={e.metric: e for e in predicted}, predicted_here={e.metric: e for e in here},
        measurements=tuple(measured), **given,
    )  # fmt: skip


def judged(**fields):
    return {v.metric: v for v in verdicts(record(**fields))}


@pytest.mark.parametrize(
    ("metric", "interval", "value", "hit", "said"),
    [
        (Metric.LATENCY, (8, 12), 10, True, "inside the predicted 8.000 to 12.000 ms (fitted)"),
        (Metric.LATENCY, (8, 12), 12, True, "inside"),
        (Metric.LATENCY, (8, 12), 13, False, "above"),
        (Metric.LATENCY, (8, 12), 7, False, "below"),
        (Metric.SIZE, (3, 4), 3.5, True, "inside"),
        (Metric.SIZE, (10, 11), 9.9, True, "within 2 % of"),
        (Metric.SIZE, (10, 11), 9.5, False, "below"),
        (Metric.MEMORY, (50, 60), 90, False, "above"),
    ],
)
def test_a_value_hits_where_it_lies_in_the_interval(metric, interval, value, hit, said):
    verdict = judged(predicted=[estimate(metric, *interval)], measured=[measurement(metric, value)])[metric]
    assert verdict.hit is hit
    assert said in verdict.explanation


@pytest.mark.parametrize(("value", "hit"), [(10.0, True), (10.19, True), (9.81, True), (10.3, False), (9.7, False)])
def test_exact_predictions_may_be_off_by_two_percent(value, hit):
    exact = estimate(Metric.SIZE, 10, 10, basis="exact")
    assert judged(predicted=[exact], measured=[measurement(Metric.SIZE, value)])[Metric.SIZE].hit is hit


@pytest.mark.parametrize(
    ("value", "low", "high", "hit"),
    [(-0.5, -1.5, 0.5, True), (-3, -3.5, -2.5, False), (-3, -6, 0, True), (2, 1.5, 2.5, False)],
    ids=["inside", "clearly worse", "too few images to tell", "clearly better"],
)
def test_accuracy_hits_where_the_intervals_meet(value, low, high, hit):
    predicted = estimate(Metric.ACCURACY, -1, 0)
    verdict = judged(predicted=[predicted], measured=[measurement(Metric.ACCURACY, value, low, high)])[Metric.ACCURACY]
    assert verdict.hit is hit


def test_an_inconclusive_measurement_judges_nothing():
    noisy = measurement(Metric.LATENCY, 100, conclusive=False, note="the machine was busy")
    verdict = judged(predicted=[estimate(Metric.LATENCY, 8, 12)], measured=[noisy])[Metric.LATENCY]
    assert verdict.hit is None
    assert "inconclusive: the machine was busy" in verdict.explanation


def test_energy_stays_a_prediction():
    verdict = judged(predicted=[estimate(Metric.ENERGY, 1, 2)])[Metric.ENERGY]
    assert (verdict.hit, verdict.measured) == (None, None)
    assert "still a prediction" in verdict.explanation


def test_latency_of_another_target_is_held_against_the_prediction_for_this_machine():
    verdict = judged(
        predicted=[estimate(Metric.LATENCY, 80, 120)],
        here=[estimate(Metric.LATENCY, 8, 12)],
        measured=[measurement(Metric.LATENCY, 10)],
        runtime="tensorrt",
        on_this_machine=False,
    )[Metric.LATENCY]
    assert verdict.hit is True
    assert verdict.predicted.high == 12
    assert "100 ms on board with tensorrt/cpu is still a prediction" in verdict.explanation


def test_without_a_prediction_for_this_machine_the_targets_latency_is_not_judged():
    verdict = judged(
        predicted=[estimate(Metric.LATENCY, 80, 120)],
        measured=[measurement(Metric.LATENCY, 10)],
        on_this_machine=False,
    )[Metric.LATENCY]
    assert verdict.hit is None
    assert "still a prediction" in verdict.explanation


def test_other_numbers_of_threads_are_not_compared():
    fields = {"environment": {"threads": "1", "threads_predicted": "8"}}
    target, here = estimate(Metric.LATENCY, 1, 2), estimate(Metric.LATENCY, 8, 12)
    found = record(predicted=[target], here=[here], measured=[measurement(Metric.LATENCY, 10)], **fields)
    assert reference(found, Metric.LATENCY) == here


@pytest.mark.parametrize(("runtime", "expected"), [("onnxruntime", "target"), ("tensorrt", "here")])
def test_size_is_that_of_the_target_where_it_takes_the_same_format(runtime, expected):
    sizes = {"target": estimate(Metric.SIZE, 1, 2), "here": estimate(Metric.SIZE, 3, 4)}
    found = record(predicted=[sizes["target"]], here=[sizes["here"]], runtime=runtime, on_this_machine=False)
    assert reference(found, Metric.SIZE) == sizes[expected]


def step(**details):
    return StepRecord(technique="prune_channels", settings={}, seconds=1, done="cut", details=details)


BASE = {"threads": "1", "threads_predicted": "1"}


@pytest.mark.parametrize(
    ("metric", "value", "fields", "cause"),
    [
        (Metric.LATENCY, 20, {"precision": "int8", "environment": {**BASE, "heavy_float": "11", "heavy_int8": "10",
                              "quantize_nodes": "63"}}, "11 of 21 heavy operations stayed in float and 63 quantize"),
        (Metric.LATENCY, 20, {"precision": "fp16"}, "emulates fp16"),
        (Metric.LATENCY, 20, {"steps": (step(widths={"a": [16, 11]}),)}, "no multiples of 8"),
        (Metric.LATENCY, 20, {"environment": {**BASE, "load_average": "5.2"}}, "load average was 5.2"),
        (Metric.LATENCY, 5, {}, "not calibrated"),
        (Metric.ACCURACY, -9, {"environment": {**BASE, "random_weights": "true"}}, "weights are random"),
        (Metric.ACCURACY, -9, {"steps": (step(widths={"a": [16, 8]}),)}, "not followed by fine-tuning"),
        (Metric.ACCURACY, 15, {"steps": (step(widths={"a": [16, 8]}, epochs=3),)}, "fine-tuning on these images"),
        (Metric.ACCURACY, -9, {"precision": "int8"}, "only 0 images were there for calibration"),
        (Metric.SIZE, 99, {}, "graph structure"),
        (Metric.SIZE, 5, {"environment": {**BASE, "random_weights": "true"}}, "equal tensors of the random weights"),
        (Metric.MEMORY, 99, {}, "runtime's own share"),
    ],
)  # fmt: skip
def test_a_miss_names_its_likeliest_cause(metric, value, fields, cause):
    low, high = (-1, 0) if metric is Metric.ACCURACY else (8, 12)
    verdict = judged(predicted=[estimate(metric, low, high)], measured=[measurement(metric, value)], **fields)[metric]
    assert verdict.hit is False
    assert cause in verdict.explanation
