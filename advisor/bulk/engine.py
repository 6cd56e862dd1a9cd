"""A row as a plan for the engine of `recommend`: for this machine, and where nobody published anything alike."""

from advisor.prediction.engine import explain_absence, predict_all
from advisor.schema import Device, Estimate, Metric, Plan, Step, Workload
from advisor.schema.identity import remembered
from advisor.techniques.half.preview import preview as preview_half
from advisor.techniques.half.step import Half
from advisor.techniques.static_int8.preview import preview as preview_static
from advisor.techniques.static_int8.step import StaticInt8

from .resolving import Question, Unanswered, opened, opens

_RUNTIMES = {"tflite": {"npu": "edgetpu"}, "torch": {"cpu": "pytorch", "gpu": "pytorch"}}


def by_engine(asked: Question) -> tuple[Estimate, float]:
    """Return the engine's latency for a row with its confidence; raises Unanswered."""
    setup, device = asked.setup, asked.device
    runtime = setup.runtime
    if device.path(runtime, _unit(device, setup.unit)) is None:
        runtime = _RUNTIMES.get(runtime, {}).get(setup.unit, runtime)
    path = device.path(runtime, _unit(device, setup.unit))
    if path is None:
        ways = ", ".join(path.label for path in device.paths)
        raise Unanswered(f"{device.name} has no path {runtime}/{setup.unit}; its paths: {ways}")
    if not opens(asked.model) or setup.batch > 1:
        raise Unanswered(f"nobody published measurements of {runtime}/{setup.unit} like this one, and a calculation "
                         "needs a model that can be opened and one image at a time")  # fmt: skip
    original = opened(asked.model, asked.input)
    signedness = path.restrictions.signedness[0] if path.restrictions.signedness else "s8s8"
    after, steps = _compressed(original, setup.precision, path.default_float, signedness)
    plan = Plan(steps=steps, runtime=runtime, unit=path.unit, threads=setup.threads or None)
    found = predict_all(plan, original, after, device, {}).get(Metric.LATENCY, ())
    if not found:
        raise Unanswered(explain_absence(Metric.LATENCY, plan, original, after, device, {}))
    return found[0].estimate, found[0].confidence


def _unit(device: Device, unit: str) -> str:
    """Return the unit under which a profile lists its paths."""
    return "mcu" if unit == "cpu" and not any(path.unit == "cpu" for path in device.paths) else unit


@remembered(256)
def _compressed(
    original: Workload, precision: str, default_float: str, signedness: str
) -> tuple[Workload, tuple[Step, ...]]:
    if precision == "int8":
        step = StaticInt8(signedness=signedness)
        return preview_static(step, original), (step,)
    if precision in ("fp16", "bf16") and default_float != precision:
        half = Half(dtype=precision)
        return preview_half(half, original), (half,)
    return original, ()
