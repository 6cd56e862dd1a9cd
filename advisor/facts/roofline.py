"""What bounds the time of the unchanged model on a path, by the plain roofline: arithmetic, weights or activations.

Both sides of the comparison are the peaks that the profile states, so the shares say which lever can matter at all;
how long anything takes is not said here. Launching operations costs time too, which a roofline does not know.
"""

from typing import Any

from advisor.schema import Device, ExecPath, Op, Workload

from .model import FREE_KINDS

_BYTES = {"fp32": 4, "fp16": 2, "bf16": 2, "int8": 1}  # of an element
_BOUNDS = ("rt.compute_bound", "rt.weight_bound", "rt.activation_bound")


def bound_facts(workload: Workload, device: Device, path: ExecPath) -> dict[str, Any]:
    """Return the shares of the roofline time in operations bound by each; nothing where a peak is not known.

    Weights that an accelerator keeps on chip are not read for every image, so such paths have no such facts.
    """
    precision = "int8" if path.restrictions.integer_only else path.default_float
    peak = path.peak_gmacs.get(precision)
    bandwidth = device.memory.bandwidth_gbs or device.memory.sustained_gbs
    if peak is None or not peak.value or bandwidth is None or not bandwidth.value or path.restrictions.weight_capacity:
        return {}
    times = dict.fromkeys(_BOUNDS, 0.0)
    for op in workload.ops:
        if op.kind not in FREE_KINDS:
            bound, seconds = _bound(workload, op, _BYTES[precision], peak.value, bandwidth.value)
            times[bound] += seconds
    total = sum(times.values())
    return {name: time / total for name, time in times.items()} if total else {}


def _bound(workload: Workload, op: Op, width: int, gmacs: float, gbs: float) -> tuple[str, float]:
    """Tell what bounds one operation, and for how many nanoseconds."""
    weights = workload.weight_elements(op) * width / gbs
    activations = sum(workload.tensor[t].elements for t in (*op.inputs, *op.outputs)) * width / gbs
    arithmetic = op.macs / gmacs
    if arithmetic >= weights + activations:
        return _BOUNDS[0], arithmetic
    return _BOUNDS[1 if weights >= activations else 2], weights + activations
