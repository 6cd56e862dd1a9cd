"""Predicted against measured gains: ratios over the baseline, which are far more stable than milliseconds."""

from advisor.schema import Gain, GainVerdict, Measurement, Metric, RunRecord

_ROUNDING = 0.02  # of a ratio: what file layout and clock resolution can move


def gain_verdicts(record: RunRecord) -> tuple[GainVerdict, ...]:
    """Judge every cost whose gain was predicted for this machine; accuracy is judged in points elsewhere."""
    measured = {m.metric: m for m in record.measurements}
    return tuple(
        _verdict(gain, measured.get(metric))
        for metric, gain in record.gains_here.items()
        if metric is not Metric.ACCURACY
    )


def _verdict(gain: Gain, measured: Measurement | None) -> GainVerdict:
    if measured is None or not measured.baseline_value or not measured.value:
        return GainVerdict(metric=gain.metric, predicted=gain, measured=None, hit=None)
    ratio = measured.baseline_value / measured.value
    if not measured.conclusive:
        return GainVerdict(metric=gain.metric, predicted=gain, measured=ratio, hit=None)
    inside = gain.low * (1 - _ROUNDING) <= ratio <= gain.high * (1 + _ROUNDING)
    return GainVerdict(metric=gain.metric, predicted=gain, measured=ratio, hit=inside)
