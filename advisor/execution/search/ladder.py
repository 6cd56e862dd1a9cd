"""The settings of a plan from weak to strong: how much structure is taken away, and what is quantized afterwards."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from advisor.errors import NotApplicable
from advisor.execution.refuse import applier
from advisor.schema import Plan, Step, Workload
from advisor.techniques import preview_plan
from advisor.techniques.subject import Subject


@dataclass(frozen=True)
class Ladder:
    """Rungs of structure from nothing (index 0) to the strongest, `asked` being the plan's own; tails by strength.

    A tail is what is done to the ONNX file; the first is the plan's own, later ones give up more and more of it.
    """

    plan: Plan
    rungs: tuple[tuple[Step, ...], ...]
    asked: int
    tails: tuple[tuple[Step, ...], ...]


def dial(step: Step) -> tuple[Step, ...]:
    """Return the settings of a step from weak to strong, empty where it has no such thing."""
    module = dials(step)
    settings: tuple[Step, ...] = () if module is None else module.dial(step)
    return settings


def mixed(step: Step, subject: Subject) -> tuple[Step, ...]:
    """Return the step with more and more layers in float, empty where it has no such thing."""
    module = dials(step)
    settings: tuple[Step, ...] = module.mixed(step, subject) if hasattr(module, "mixed") else ()
    return settings


def dials(step: Step) -> Any:
    """Return the module `dial` beside the step's own, None where there is none."""
    name = f"{type(step).__module__.rpartition('.')[0]}.dial"
    return import_module(name) if find_spec(name) else None


def ladder(plan: Plan, workload: Workload | None = None) -> Ladder:
    """Return the settings of a plan; steps without a dial stay as they are on every rung.

    With the original's `workload`, rungs that leave the same network as a weaker one, and those that cannot be, are
    left out; the plan's own stays.
    """
    structure = tuple(step for step in plan.steps if applier(step).STAGE == "torch")
    tail = tuple(step for step in plan.steps if applier(step).STAGE == "onnx")
    dials = tuple(dial(step) for step in structure)
    highest = max(map(len, dials), default=0)
    rungs = _distinct(_rung(structure, dials, level, highest) for level in range(highest + 1))
    if workload is not None:
        rungs = _previewed(rungs, plan, workload, structure)
    return Ladder(plan, rungs, _asked(rungs, structure, dials), _tails(tail))


def _rung(
    structure: tuple[Step, ...], dials: tuple[tuple[Step, ...], ...], level: int, highest: int
) -> tuple[Step, ...]:
    """Turn every dial to the same share of its range; at nothing the step is left out."""
    steps = []
    for step, settings in zip(structure, dials, strict=True):
        if not settings:
            steps.append(step)
        elif place := round(level * len(settings) / highest):
            steps.append(settings[place - 1])
    return tuple(steps)


def _distinct(rungs: Iterable[tuple[Step, ...]]) -> tuple[tuple[Step, ...], ...]:
    found: list[tuple[Step, ...]] = []
    for rung in rungs:
        if rung not in found:
            found.append(rung)
    return tuple(found)


def _previewed(
    rungs: tuple[tuple[Step, ...], ...], plan: Plan, workload: Workload, structure: tuple[Step, ...]
) -> tuple[tuple[Step, ...], ...]:
    found: dict[tuple[int, int], tuple[Step, ...]] = {}
    for rung in rungs:
        try:
            left = preview_plan(plan.model_copy(update={"steps": rung}), workload)
        except NotApplicable:
            continue
        key = (left.macs, left.params)
        if key not in found or rung == structure:
            found[key] = rung
    return tuple(found.values()) or rungs


def _asked(
    rungs: tuple[tuple[Step, ...], ...], structure: tuple[Step, ...], dials: tuple[tuple[Step, ...], ...]
) -> int:
    """Return the rung of the plan itself, or the one at which its first dial stands as in the plan."""
    if structure in rungs:
        return rungs.index(structure)
    first = next(step for step, settings in zip(structure, dials, strict=True) if settings)
    return next((i for i, rung in enumerate(rungs) if first in rung), len(rungs) // 2)


def _tails(tail: tuple[Step, ...]) -> tuple[tuple[Step, ...], ...]:
    """Return what is done to the file, the plan's own first, then with its last step turned down, then without it."""
    if not tail:
        return ((),)
    *first, last = tail
    weaker = [setting for setting in reversed(dial(last)) if setting != last]
    return (tail, *((*first, setting) for setting in weaker), tuple(first))
