"""Asking anew: how a stored plan opens its model again, and which other devices and power modes are worth trying."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from advisor.errors import GoalError, ModelLoadError
from advisor.facts import device_facts
from advisor.schema import Device

from .weights import load_weights

_NAMES = ("dev.id", "dev.confidence", "dev.is_host")
_MOST_APART = 2.0  # two doublings of a figure count as much as any other difference


def reopening(model_spec: Mapping[str, Any], batch: int) -> dict[str, Any]:
    """Return the options that open the model of a stored plan again, at this batch."""
    options = dict(model_spec)
    if not options.get("spec"):
        raise ModelLoadError(
            "the plan does not say how to open its model again",
            remedy="Make the plan from a file or a name; one made from an object in memory answers for itself alone.",
        )
    before, shape = options.get("batch", 1), options.get("input_shape")
    if batch != before and shape:
        if not all(isinstance(side, int) for side in shape):
            raise GoalError("several inputs have no one batch to change", remedy="Make a new plan with --batch.")
        options["input_shape"] = [batch, *shape[1:]]
    return options | {"batch": batch}


def alternatives(device: Device, devices: Iterable[Device]) -> tuple[str, ...]:
    """Return changes to try as --what-if takes them: the device's other power modes, then devices of its class."""
    most = load_weights().changes.devices
    modes = [f"power_mode={m.name}" for m in device.power.modes if not m.default and m.name != device.power.mode]
    own = device_facts(device)
    same = [other for other in devices if other.kind == device.kind and other.id != device.id]
    same.sort(key=lambda other: (_distance(own, device_facts(other)), other.id))
    return (*modes[:most], *(f"target={other.id}" for other in same[:most]))


def _distance(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """Return how much two devices differ: each fact counts up to one."""
    names = {*one, *other} - set(_NAMES)
    return math.fsum(_apart(one.get(name), other.get(name)) for name in sorted(names))


def _apart(a: Any, b: Any) -> float:
    if a == b:
        return 0.0
    if isinstance(a, frozenset) and isinstance(b, frozenset):
        return len(a ^ b) / len(a | b)
    numbers = [float(v) for v in (a, b) if isinstance(v, int | float) and not isinstance(v, bool) and v > 0]
    if len(numbers) == 2:
        return min(abs(math.log2(numbers[0] / numbers[1])), _MOST_APART) / _MOST_APART
    return 1.0
