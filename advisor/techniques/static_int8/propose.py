"""Settings of static int8 quantization worth trying."""

from advisor.schema import Device, ExecPath
from advisor.techniques.integers import granularity, signedness
from advisor.techniques.knowledge import load_techniques
from advisor.techniques.registry import Case
from advisor.techniques.static_int8.step import StaticInt8

_EXACT_PRODUCTS = frozenset({"avx512_vnni", "avx_vnni", "avxvnni", "amx", "amx_int8"})


def propose(case: Case, path: ExecPath) -> tuple[StaticInt8, ...]:
    """Propose min-max ranges first; 7-bit weights first where the CPU's 8-bit sums saturate.

    Then clipped ranges, or for transformers smoothed ones: their outliers carry meaning (CA-04, TF-04). Layers that a
    probe has found to be at risk stay in float in one more.
    """
    settings = load_techniques().techniques["static_int8"]
    # What a compiler insists on is a minimum; our own default rests on what ranges need (CA-01).
    images = max(path.restrictions.needs_calibration_images or 0, int(settings.figures("calibration_images")[0]))
    available = case.goal.data.calibration
    base = StaticInt8(
        weights=granularity(path),
        signedness=signedness(path),
        calibration_images=min(images, available) if available else images,
        power_of_two_scales=path.restrictions.power_of_two_scales,
    )
    if _coarse(base) and case.facts.get("model.has_depthwise", False):  # what repairs it without training (QS-04)
        base = base.model_copy(update={"equalize": True, "bias_correction": True})
    steps = [base]
    if saturates(case.device, path, base.signedness):
        steps.insert(0, base.model_copy(update={"reduce_range": True}))
    if case.facts.get("model.has_attention", False):
        steps += [steps[0].model_copy(update={"smooth": alpha}) for alpha in settings.figures("smooth")]
    elif "percentile" in settings.settings["methods"]:
        steps.append(steps[0].model_copy(update={"method": "percentile"}))
    if risky := case.facts.get("probe.layers_at_risk"):
        steps.append(steps[0].model_copy(update={"float_layers": tuple(sorted(risky))}))
    return tuple(steps)


def _coarse(step: StaticInt8) -> bool:
    """Whether channels of different ranges share a scale, or scales are rounded up."""
    return step.weights == "per_tensor" or step.power_of_two_scales


def saturates(device: Device, path: ExecPath, form: str) -> bool:
    """Whether 16-bit sums of u8 x s8 products can overflow: x86 without VNNI or AMX (HW-04)."""
    cpu = device.cpu
    if cpu is None or path.unit != "cpu" or cpu.arch != "x86_64" or form != "u8s8":
        return False
    return not _EXACT_PRODUCTS & set(cpu.isa)
