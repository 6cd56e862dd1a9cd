"""What a smaller network off the shelf would give in the place of the recommended plan: compression's competitor.

A compressed large network can lose to a small one that was published as it is (rule KD-10 and the survey's advice to
compare with it). The few nearest published networks are predicted on the winner's path, in the winner's precision.
"""

from collections.abc import Sequence
from math import log
from typing import Any

from advisor.errors import AdvisorError
from advisor.prediction import predict
from advisor.prediction.imagenet import published_top1
from advisor.schema import Candidate, Device, Estimate, Metric, Plan, ReadyMade, Step, Workload
from advisor.techniques import preview_plan
from advisor.techniques.students import Student, load_students
from advisor.techniques.swap.step import Swap

_SHARES = (1.0, 0.5, 0.25, 0.12)  # of the plan's MACs, where a published network is looked for
_KEPT = frozenset({"half", "static_int8", "dynamic_int8", "weight_only"})  # steps that need no training of the new one
_ALIKE = 0.03  # shares of time and points of accuracy below which neither side is ahead
_POINTS = 0.3


def ready_made(
    winner: Candidate | None, workload: Workload, device: Device, facts: dict[str, Any]
) -> tuple[ReadyMade, ...]:
    """Return the nearest smaller published networks with their predictions and a verdict; empty where unknown.

    Only classifiers whose own accuracy is published can be compared, and only with a plan that changes something.
    """
    original = published_top1(workload.name)
    if winner is None or original is None or not winner.plan.steps or facts.get("model.task") != "classification":
        return ()
    if any(step.technique in ("swap", "distil") for step in winner.plan.steps):
        return ()
    mine = winner.estimates.get(Metric.LATENCY), winner.estimates.get(Metric.ACCURACY)
    if mine[0] is None or mine[1] is None:
        return ()
    kept = tuple(step for step in winner.plan.steps if step.technique in _KEPT)
    found = (_predicted(student, kept, winner, workload, device, facts) for student in _chosen(winner, workload))
    return tuple(_judged(one, mine[0], mine[1]) for one in found if one is not None)


def _chosen(winner: Candidate, workload: Workload) -> list[Student]:
    """Return published networks smaller than the original that no smaller one beats: one about each size."""
    best, front = 0.0, []
    for student in load_students():  # in order of their MACs
        if student.top1 > best and student.macs < workload.macs and f"timm:{student.name}" != workload.name:
            best = student.top1
            front.append(student)
    aim = winner.preview.macs or workload.macs
    near = [min(front, key=lambda s: abs(log(s.macs / (aim * share)))) for share in _SHARES if front]
    return sorted({s.name: s for s in near}.values(), key=lambda s: -s.macs)


def _predicted(
    student: Student, kept: Sequence[Step], winner: Candidate, workload: Workload, device: Device, facts: dict[str, Any]
) -> ReadyMade | None:
    plan = winner.plan.model_copy(update={"steps": (Swap(student=f"timm:{student.name}"), *kept)})
    try:
        after = preview_plan(plan, workload)
    except AdvisorError:
        return None
    estimates = predict(plan, workload, after, device, facts)
    latency, accuracy = estimates.get(Metric.LATENCY), estimates.get(Metric.ACCURACY)
    if latency is None or accuracy is None:
        return None
    return ReadyMade(
        network=student.name, plan=_label(plan), top1=student.top1, latency=latency, accuracy=accuracy, verdict=""
    )


def _label(plan: Plan) -> str:
    return " + ".join(step.label for step in plan.steps)


def _judged(one: ReadyMade, latency: Estimate, accuracy: Estimate) -> ReadyMade:
    """Say who is ahead, by the middles; what lies inside both intervals is said to be open."""
    faster = latency.mid / one.latency.mid if one.latency.mid > 0 else 1.0
    better = one.accuracy.mid - accuracy.mid
    time = (
        "as fast"
        if abs(faster - 1) < _ALIKE
        else f"{faster:.2f}x as fast"
        if faster > 1
        else f"{1 / faster:.2f}x slower"
    )
    points = (
        "as accurate" if abs(better) < _POINTS else f"{abs(better):.1f} points {'better' if better > 0 else 'worse'}"
    )
    if faster >= 1 - _ALIKE and better >= -_POINTS:
        who = "beats the plan"
    elif faster <= 1 + _ALIKE and better <= _POINTS:
        who = "the plan beats it"
    else:
        who = "a trade"
    open_ = one.accuracy.low <= accuracy.mid <= one.accuracy.high and who != "a trade"
    return one.model_copy(
        update={"verdict": f"{who}: {time}, {points}{' (accuracy within the interval)' if open_ else ''}"}
    )
