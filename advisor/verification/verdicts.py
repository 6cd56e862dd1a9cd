"""Predicted against measured: one verdict per metric, with a likely cause of a miss. Pure functions of the record."""

from advisor.schema import Estimate, Measurement, Metric, RunRecord, Verdict

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
        return target if record.plan.runtime in _LOCAL else here
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
        said = _still(record, metric, target) or "nothing was predicted that this measurement could be held against"
        if metric is Metric.ACCURACY and record.data and (target or record.predicted_here.get(metric)):
            said = f"the prediction is of top-1, measured was {record.data.metric}"
        return Verdict(metric=metric, predicted=target, measured=measured, hit=None, explanation=said)
    if not measured.conclusive:
        said = f"the measurement is inconclusive: {measured.note}"
        return Verdict(metric=metric, predicted=predicted, measured=measured, hit=None, explanation=said)
    hit = _meets(predicted, measured)
    said = _comparison(predicted, measured, hit)
    if not hit:
        said += f"; {_cause(record, metric, predicted, measured)}"
    where = "" if predicted is target else _still(record, metric, target)
    said = f"{said}. {where}" if where else said
    return Verdict(metric=metric, predicted=predicted, measured=measured, hit=hit, explanation=said)


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


def _cause(record: RunRecord, metric: Metric, predicted: Estimate, measured: Measurement) -> str:
    """Name the likeliest cause of a miss, from what the record knows."""
    if metric is Metric.LATENCY:
        return _latency_cause(record, slower=measured.value > predicted.high)
    if metric is Metric.ACCURACY:
        return _accuracy_cause(record, better=measured.value > predicted.high)
    if metric is Metric.MEMORY:
        return "likely the runtime's own share, which differs between versions, and its copies of weights"
    if any(not check.agrees for check in record.checks):
        return "the compressed model differs from its preview"
    if measured.value < predicted.low and record.environment.get("random_weights") == "true":
        return "equal tensors of the random weights (norms initialised to zero) are stored once"
    return "likely graph structure, scales and names, which weigh more in small files"


def _latency_cause(record: RunRecord, *, slower: bool) -> str:
    seen = record.environment
    floats, nodes = int(seen.get("heavy_float", 0)), int(seen.get("quantize_nodes", 0))
    integers = int(seen.get("heavy_int8", 0))
    if slower and record.preview.precision.startswith("int8") and floats:
        return f"{floats} of {floats + integers} heavy operations stayed in float and {nodes} quantize nodes are left"
    if slower and record.preview.precision == "fp16":
        return "the CPU emulates fp16 with casts"
    if _uneven(record):
        return "some widths are no multiples of 8, which blocked kernels want"
    load = float(seen.get("load_average", "0").replace("unknown", "0"))
    if slower and load > 1:
        return f"the load average was {load:.1f}"
    return "the prediction for this machine is not calibrated to it"


def _uneven(record: RunRecord) -> bool:
    widths = [new for step in record.steps for _, new in step.details.get("widths", {}).values()]
    return any(width % 8 for width in widths)


def _accuracy_cause(record: RunRecord, *, better: bool) -> str:
    if record.environment.get("random_weights") == "true":
        return "the weights are random, so accuracy says nothing"
    epochs = sum(int(step.details.get("epochs", 0)) for step in record.steps)
    if better and epochs:
        return "fine-tuning on these images also improved what the original had not learnt"
    if any("widths" in step.details for step in record.steps) and not epochs:
        return "the cut was not followed by fine-tuning"
    images = record.data.calibration if record.data else 0
    if not better and record.preview.precision == "int8" and images < 100:
        return f"only {images} images were there for calibration"
    return "this model and data differ from those that the prediction rests on"


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
