"""When no plan meets the limits: which limit binds, which plan comes nearest, and what else would help."""

import math
from collections.abc import Sequence

from advisor.schema import UNITS, Candidate, Goal, Limit, Metric
from advisor.units import three

from .limits import NAMES


def _shortfall(candidate: Candidate, limit: Limit) -> float | None:
    """How far the middle misses the limit: log2 of a ratio for costs, points for accuracy; <= 0 where it is met."""
    estimate = candidate.estimates.get(limit.metric)
    if estimate is None:
        return None
    if limit.metric is Metric.ACCURACY:
        return -estimate.mid - limit.bound
    if limit.bound <= 0:
        return math.inf
    return math.log2(max(estimate.mid, 1e-12) / limit.bound)


def _only_limits(candidate: Candidate) -> bool:
    return all(reason.startswith("limit ") for reason in candidate.rejected_by)


def nearest(candidates: Sequence[Candidate], goal: Goal) -> tuple[str, ...]:
    """Explain in sentences why nothing fits; empty if a candidate is not rejected."""
    if any(not c.rejected_by for c in candidates):
        return ()
    possible = [c for c in candidates if _only_limits(c)]
    if not possible:
        return _ruled_out(candidates)
    return tuple(_binding(possible, goal)) + _advice(possible, goal)


def _ruled_out(candidates: Sequence[Candidate]) -> tuple[str, ...]:
    """Every plan breaks a rule: name the plan that breaks the fewest, and why."""
    closest = min(candidates, key=lambda c: (c.plan.runtime == "pytorch", sum(f.rejects for f in c.findings), c.number))
    reasons = [f"{f.rule}: {f.reason}" for f in closest.findings if f.rejects]
    said = [
        "Every plan is ruled out by the device or by the effort allowed, whatever the limits.",
        f"Nearest: '{closest.plan.label}' on {closest.plan.path}, ruled out by {'; '.join(reasons)}",
    ]
    if any(c.plan.steps and "distil" in c.plan.techniques for c in candidates):
        said.append("With the budget 'train', distilling into a smaller architecture may open a way.")
    return (*said, "Otherwise start from a network made for this class of device, or choose another device.")


def _binding(possible: Sequence[Candidate], goal: Goal) -> list[str]:
    said = []
    for limit in goal.limits:
        misses = [(s, c) for c in possible if (s := _shortfall(c, limit)) is not None]
        if not misses:
            said.append(f"The {NAMES[limit.metric]} cannot be predicted for any plan on this device.")
            continue
        best, candidate = min(misses, key=lambda pair: pair[0])
        estimate = candidate.estimates[limit.metric]
        value = -estimate.mid if limit.metric is Metric.ACCURACY else estimate.mid
        unit = UNITS[limit.metric]
        if best > 0:
            said.append(
                f"The limit of {three(limit.bound)} {unit} on {NAMES[limit.metric]} binds: the best plan for it, "
                f"'{candidate.plan.label}' on {candidate.plan.path}, is expected at {three(value)} {unit}."
            )
    if not said:
        said.append("Each limit can be met alone, but no plan meets all of them together.")
    total = [(sum(max(_shortfall(c, limit) or 0.0, 0.0) for limit in goal.limits), c.number, c) for c in possible]
    closest = min(total, key=lambda entry: entry[:2])[2]
    missing = "; ".join(c.needed for c in closest.limits if c.met is False)
    said.append(f"Nearest: '{closest.plan.label}' on {closest.plan.path} - {missing}.")
    return said


def _advice(possible: Sequence[Candidate], goal: Goal) -> tuple[str, ...]:
    bounded = {limit.metric for limit in goal.limits}
    advice = []
    if bounded & {Metric.LATENCY, Metric.MEMORY, Metric.ENERGY}:
        advice.append("A lower input resolution cuts MACs and activations with the square of the side; weights stay.")
    if bounded & {Metric.LATENCY, Metric.SIZE, Metric.ENERGY, Metric.MEMORY, Metric.FLASH}:
        advice.append("A smaller architecture, trained with the original as teacher, reaches further than pruning.")
    if goal.budget in ("none", "calibration"):
        advice.append(
            f"The budget '{goal.budget}' excludes fine-tuning and training; with labelled images more plans open."
        )
    if bounded & {Metric.LATENCY, Metric.ENERGY}:
        advice.append("Otherwise a device with a faster path for this kind of network is needed.")
    if goal.bound(Metric.ACCURACY) is not None and not any(c.plan.steps for c in possible):
        advice.append("The accepted accuracy loss rules out every compression step.")
    return tuple(advice)
