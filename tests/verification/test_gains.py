import pytest

from advisor.schema import Gain, Measurement, Metric
from advisor.verification.gains import gain_verdicts
from tests.verification.test_verdicts import record  # the same record that verdicts are tested on


def gain(metric=Metric.LATENCY, low=1.5, mid=2.0, high=3.0):
    return Gain(metric=metric, baseline="onnxruntime/cpu", low=low, mid=mid, high=high)


def measured(value, baseline, metric=Metric.LATENCY, conclusive=True):
    return Measurement(
        metric=metric, value=value, low=value, high=value, n=9, method="test", machine="test", runtime="onnxruntime",
        baseline_value=baseline, conclusive=conclusive,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("value", "baseline", "hit"),
    [(5.0, 10.0, True), (10.0, 10.0, False), (2.0, 10.0, False), (10.0 / 3.05, 10.0, True), (10.0 / 1.48, 10.0, True)],
)
def test_a_measured_ratio_inside_the_interval_is_a_hit(value, baseline, hit):
    run = record().model_copy(
        update={"gains_here": {Metric.LATENCY: gain()}, "measurements": (measured(value, baseline),)}
    )
    (verdict,) = gain_verdicts(run)
    assert verdict.hit is hit
    assert verdict.measured == pytest.approx(baseline / value)


def test_an_inconclusive_or_absent_measurement_stays_open():
    run = record().model_copy(update={"gains_here": {Metric.LATENCY: gain(), Metric.SIZE: gain(Metric.SIZE)}})
    run = run.model_copy(update={"measurements": (measured(5.0, 10.0, conclusive=False),)})
    assert [v.hit for v in gain_verdicts(run)] == [None, None]


def test_accuracy_is_not_judged_as_a_ratio():
    run = record().model_copy(update={"gains_here": {Metric.ACCURACY: gain(Metric.ACCURACY)}})
    assert gain_verdicts(run) == ()
