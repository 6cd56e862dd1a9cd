"""Facts about a candidate plan: what its steps do and what they make of the workload."""

from dataclasses import dataclass
from typing import Any

from advisor.schema import NO_MODEL, Device, Estimate, Metric, Plan, Step, Workload

_INT8 = frozenset({"static_int8", "qat"})
_QUANTIZERS = _INT8 | {"dynamic_int8", "weight_only"}
_OF_A_RESULT = frozenset({"plan.needs", "plan.effort", "plan.weight_bytes", "plan.peak_act_bytes"})
_STRUCTURED = frozenset({"prune_channels", "prune_transformer", "prune_blocks"})
_CHANGES_GRAPH = _STRUCTURED | frozenset({"low_rank", "distil", "swap", "resolution"})


@dataclass(frozen=True)
class PlanContext:
    """A plan with the workload before and after it, its peaks of activation memory in bytes, and its effort.

    `lead`: points by which its ready-made network is published as better than the original; None where unknown.
    """

    plan: Plan
    before: Workload
    after: Workload
    weight_bytes: int
    peak_activation_bytes: int
    needs: str
    effort: float
    lead: float | None = None


def _last(plan: Plan, names: frozenset[str]) -> Step | None:
    return next((step for step in reversed(plan.steps) if step.technique in names), None)


def plan_precision(plan: Plan) -> str:
    """Return what the artefact holds: fp32, fp16, bf16, int8, int8-dynamic, w8 or w4."""
    step = _last(plan, _QUANTIZERS | {"half"})
    if step is None:
        return "fp32"
    if step.technique in _INT8:
        return "int8"
    if step.technique == "dynamic_int8":
        return "int8-dynamic"
    if step.technique == "weight_only":
        return f"w{getattr(step, 'bits', 8)}"
    return str(getattr(step, "dtype", "fp16"))


_BITS = {"fp32": (32, 32), "fp16": (16, 16), "bf16": (16, 16), "int8": (8, 8), "int8-dynamic": (8, 8), "w8": (8, 32),
         "w4": (4, 32)}  # fmt: skip


def _quantization(plan: Plan, precision: str) -> dict[str, Any]:
    step = _last(plan, _QUANTIZERS)
    granularity = getattr(step, "weights", None)
    if step is not None and granularity is None:
        granularity = "group" if getattr(step, "group_size", 0) else "per_channel"
    bits_w, bits_a = _BITS[precision]
    return {
        "plan.precision": precision,
        "plan.quantized": bits_w <= 8,
        "plan.full_int8": precision == "int8",
        "plan.bits_w": bits_w,
        "plan.bits_a": bits_a,
        "plan.weight_gran": granularity or "none",
        "plan.signedness": getattr(step, "signedness", "none"),
        "plan.reduce_range": bool(getattr(step, "reduce_range", False)),
        "plan.calibration_method": getattr(step, "method", "none") if precision == "int8" else "none",
        "plan.calibration_images": getattr(step, "calibration_images", None),
    }


def _channel_ratio(step: Step | None) -> float:
    """Return the share of channels that go; of MACs or parameters most layers lose the square (inputs and outputs)."""
    ratio = float(getattr(step, "ratio", 0.0))
    return ratio if getattr(step, "target", "channels") == "channels" else 1 - (1 - ratio) ** 0.5


def _structure(context: PlanContext) -> dict[str, Any]:
    steps = {step.technique: step for step in context.plan.steps}
    channels, blocks = steps.get("prune_channels"), steps.get("prune_transformer")
    sparse, low_rank, distil = steps.get("sparsify"), steps.get("low_rank"), steps.get("distil")
    removed = [_channel_ratio(channels), getattr(blocks, "mlp_ratio", 0.0), getattr(blocks, "head_ratio", 0.0)]
    before, after = context.before, context.after
    sides = [
        min(w.input_shapes[0][-2:]) if w.input_shapes and len(w.input_shapes[0]) == 4 else 0 for w in (before, after)
    ]
    rounding = [step.round_to for step in context.plan.steps if hasattr(step, "round_to")]
    return {
        "plan.structured": not steps.keys().isdisjoint(_STRUCTURED),
        "plan.channel_ratio": max(removed),
        "plan.criterion": getattr(channels, "criterion", "none"),
        "plan.round_to": min(rounding) if rounding else None,
        "plan.sparsity": (0.5 if getattr(sparse, "pattern", "") == "2:4" else getattr(sparse, "sparsity", 0.0)),
        "plan.sparsity_pattern": getattr(sparse, "pattern", "none"),
        "plan.rank_ratio": getattr(low_rank, "rank_ratio", None),
        "plan.low_rank_method": getattr(low_rank, "method", "none"),
        "plan.student_params_ratio": before.params / after.params if distil is not None and after.params else None,
        "plan.student_lead_pp": context.lead if distil is not None else None,
        "plan.resolution_ratio": sides[1] / sides[0] if all(sides) else None,
    }


def _graph_after_quantization(plan: Plan) -> bool:
    names = plan.techniques
    first = next((i for i, name in enumerate(names) if name in _QUANTIZERS), len(names))
    return any(name in _CHANGES_GRAPH for name in names[first:])


def plan_facts(context: PlanContext) -> dict[str, Any]:
    """Return the `plan.*` facts."""
    plan, before, after = context.plan, context.before, context.after
    facts: dict[str, Any] = {
        "plan.techniques": frozenset(plan.techniques),
        "plan.steps_n": len(plan.steps),
        "plan.last": plan.techniques[-1] if plan.steps else "",
        "plan.macs_ratio": after.macs / before.macs if before.macs else None,
        "plan.params_ratio": after.params / before.params if before.params else None,
        "plan.weight_bytes": context.weight_bytes,
        "plan.peak_act_bytes": context.peak_activation_bytes,
        "plan.epochs": sum(getattr(step, "epochs", 0) for step in plan.steps),
        "plan.effort": context.effort,
        "plan.needs": context.needs,
        "plan.changes_graph_after_quantization": _graph_after_quantization(plan),
    }
    facts |= _quantization(plan, plan_precision(plan)) | _structure(context)
    return {name: value for name, value in facts.items() if value is not None}


def facts_of_steps(plan: Plan) -> dict[str, Any]:
    """Return the `plan.*` facts that the steps alone tell, without those of a network that they were done to."""
    found = plan_facts(PlanContext(plan, NO_MODEL, NO_MODEL, 0, 0, "", 0.0))
    return {name: value for name, value in found.items() if name not in _OF_A_RESULT}


def memory_facts(device: Device, estimates: dict[Metric, Estimate]) -> dict[str, Any]:
    """Return what a plan needs of the device's memories: RAM and flash of firmware, or the least of a process."""
    memory, flash = estimates.get(Metric.MEMORY), estimates.get(Metric.FLASH)
    if device.os:
        return {} if memory is None else {"plan.process_low_bytes": memory.low * 1e6}
    named = {"plan.arena_bytes": memory, "plan.flash_bytes": flash}
    return {name: estimate.mid * 1e6 for name, estimate in named.items() if estimate is not None}
