"""Predicted against measured: one verdict per metric, with a likely cause of a miss. Pure functions of the record."""

from typing import Any

from advisor.schema import Estimate, Measurement, Metric, RunRecord, Verdict

from .causes import Cause, cause_of, disturbed, known_causes

_LOCAL = ("onnxruntime", "pytorch")
TOLERANCE = 0.02  # of sizes and of exact predictions (VM-07)
_FIGURES = {Metric.ACCURACY: 2, Metric.LATENCY: 3, Metric.SIZE: 3, Metric.MEMORY: 1, Metric.ENERGY: 2, Metric.FLASH: 3,
            Metric.THROUGHPUT: 3}  # fmt: skip


def verdicts(record: RunRecord) -> tuple[Verdict, ...]:
    """Judge every metric that was predicted or measured, in the order of `Metric`."""
    measured = {m.metric: m for m in record.measurements}
    named = set(record.predicted) | set(record.predicted_here) | set(measured)
    return tuple(_verdict(record, metric, measured.get(metric)) for metric in Metric if metric in named)


def reference(record: RunRecord, metric: Metric) -> Estimate | None:
    """Return the prediction that a measurement on this machine can be held against.

    That for the target, where the target is this machine at the same number of threads; else that for this machine.
    Size is the same wherever the file runs, if the target takes the same format; accuracy belongs to the plan.
    """
    target, here = record.predicted.get(metric), record.predicted_here.get(metric)
    if metric is Metric.ACCURACY:
        return (target or here) if record.data is None or record.data.metric == "top-1" else None
    if metric is Metric.SIZE:
        return target if record.on_this_machine or record.plan.runtime in _LOCAL else here
    if record.on_this_machine and _same_threads(record):
        return target
    return here


def _same_threads(record: RunRecord) -> bool:
    threads = record.environment.get("threads")
    return threads == record.environment.get("threads_predicted", threads)


def _verdict(record: RunRecord, metric: Metric, measured: Measurement | None) -> Verdict:
    target = record.predicted.get(metric)
    if measured is None:
        predicted = target or record.predicted_here.get(metric)
        return Verdict(metric=metric, predicted=predicted, measured=None, hit=None, explanation=_unmeasured(metric))
    predicted = reference(record, metric)
    if predicted is None:
        return _not_comparable(record, metric, measured)
    if not measured.conclusive:
        said, key = f"the measurement is inconclusive: {measured.note}", disturbed(measured)
        return Verdict(
            metric=metric, predicted=predicted, measured=measured, hit=None, explanation=said, **_because(key)
        )
    hit = _meets(predicted, measured)
    said = _comparison(predicted, measured, hit)
    cause: Cause | None = None
    if not hit:
        cause = cause_of(record, predicted, measured)
        said += f"; {cause.said}"
    where = "" if predicted is target else _still(record, metric, target)
    said = f"{said}. {where}" if where else said
    more = _because(cause.key) if cause is not None else {}
    return Verdict(metric=metric, predicted=predicted, measured=measured, hit=hit, explanation=said, **more)


def _because(key: str) -> dict[str, Any]:
    """Return a cause and its rules as fields of a verdict."""
    return {"cause": key, "rules": known_causes()[key].rules}


def _not_comparable(record: RunRecord, metric: Metric, measured: Measurement) -> Verdict:
    """Return a verdict without a hit or a miss: what was predicted is something else than what was measured."""
    target = record.predicted.get(metric)
    said, cause = "nothing was predicted that this measurement could be held against", {}
    if metric is Metric.ACCURACY and record.data and (target or record.predicted_here.get(metric)):
        said = f"the prediction is of top-1, measured was {record.data.metric}"
    elif target is not None:
        cause = _because("other_setup")
        said = _still(record, metric, target) or _other_threads(record)
    return Verdict(metric=metric, predicted=target, measured=measured, hit=None, explanation=said, **cause)


def _other_threads(record: RunRecord) -> str:
    asked, had = (record.environment.get(name, "?") for name in ("threads_predicted", "threads"))
    return f"the prediction is for {asked} threads, measured was with {had}"


def _meets(predicted: Estimate, measured: Measurement) -> bool:
    """Tell whether the measured value lies in the predicted interval; accuracy also counts if the intervals overlap."""
    if predicted.metric is Metric.ACCURACY:
        return measured.low <= predicted.high and predicted.low <= measured.high
    near = predicted.metric is Metric.SIZE or predicted.low == predicted.high
    slack = TOLERANCE * abs(predicted.mid) if near else 0.0
    return predicted.low - slack <= measured.value <= predicted.high + slack


def _comparison(predicted: Estimate, measured: Measurement, hit: bool) -> str:
    digits = _FIGURES[predicted.metric]

    def show(value: float) -> str:
        return f"{value:+.{digits}f}" if predicted.metric is Metric.ACCURACY else f"{value:.{digits}f}"

    miss = "above" if measured.value > predicted.high else "below"
    inside = predicted.low <= measured.value <= predicted.high or predicted.metric is Metric.ACCURACY
    place = ("inside" if inside else "within 2 % of") if hit else miss
    return (
        f"measured {show(measured.value)} {predicted.unit}, {place} the predicted {show(predicted.low)} to "
        f"{show(predicted.high)} {predicted.unit} ({predicted.basis.value})"
    )


def _still(record: RunRecord, metric: Metric, target: Estimate | None) -> str:
    """Say what remains a prediction on another target."""
    if target is None or record.on_this_machine:
        return ""
    place = f"{record.device} with {record.plan.path}"
    return f"measured on this machine; {target.mid:.3g} {target.unit} on {place} is still a prediction"


def _unmeasured(metric: Metric) -> str:
    if metric is Metric.ACCURACY:
        return "not measured: no labelled held-out images"
    return "still a prediction: nothing here measures it"
