"""Facts of plans that others carried out: what their steps say, without what only a file of ours could tell."""

from collections.abc import Iterable, Mapping
from typing import Any

from advisor import facts
from advisor.schema import Plan, Step

# Settings that nobody publishes with a figure; a source that does names them itself.
_UNSTATED = frozenset({
    "plan.weight_gran", "plan.signedness", "plan.reduce_range", "plan.calibration_method", "plan.calibration_images",
    "plan.channel_ratio", "plan.round_to", "plan.rank_ratio", "plan.low_rank_method",
})  # fmt: skip
_SAME_WORK = {"plan.macs_ratio": 1.0, "plan.params_ratio": 1.0}


def facts_of_steps(steps: Iterable[Step], stated: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the facts of a plan of these steps; `stated` are the settings that the source names."""
    plan = Plan(steps=tuple(steps), runtime="", unit="cpu")
    unknown = _UNSTATED if plan.steps else frozenset[str]()
    found = {name: value for name, value in facts.facts_of_steps(plan).items() if name not in unknown}
    return found | dict(stated or {})


def facts_of_precision(steps: Iterable[Step], stated: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the facts of a plan that changes the precision and no layer."""
    return facts_of_steps(steps, {**_SAME_WORK, **(stated or {})})


def facts_of_bits(weights: int, activations: int) -> dict[str, Any]:
    """Return the facts of a calibrated network in bits that no step of ours has: 4-bit weights, 16-bit activations."""
    return {
        **_SAME_WORK,
        "plan.techniques": frozenset(),
        "plan.bits_w": weights,
        "plan.bits_a": activations,
        "plan.quantized": weights <= 8,
        "plan.full_int8": False,
        "plan.structured": False,
        "plan.sparsity": 0.0,
        "plan.sparsity_pattern": "none",
        "plan.epochs": 0,
        "plan.steps_n": 1,
    }
