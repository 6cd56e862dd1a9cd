"""Reading 'max_drop=2', 'goal=latency' or 'data.calib_n=500' as changes of a goal or of facts."""

from typing import Any

import yaml
from pydantic import ValidationError

from advisor.errors import GoalError, nearest
from advisor.rules.vocabulary import load_vocabulary
from advisor.schema import Goal, Limit, Metric
from advisor.units import parse_quantity

_LIMITS = {
    "max_latency": (Metric.LATENCY, "ms"),
    "max_size": (Metric.SIZE, "MB"),
    "max_memory": (Metric.MEMORY, "MB"),
    "max_energy": (Metric.ENERGY, "mJ"),
    "max_flash": (Metric.FLASH, "MB"),
    "max_drop": (Metric.ACCURACY, "pp"),
}
_CHOICES = {"goal": "kind", "budget": "budget"}
# Facts that only repeat the goal: changing one changes the goal, so that limits and rules never disagree.
_OF_GOAL = {
    "user.max_drop_pp": "max_drop",
    "user.latency_ms": "max_latency",
    "user.size_mb": "max_size",
    "user.memory_mb": "max_memory",
    "user.energy_mj": "max_energy",
    "user.flash_mb": "max_flash",
    "user.goal": "goal",
    "user.budget": "budget",
}


def with_limit(goal: Goal, metric: Metric, bound: float | None, *, sustained: bool = False) -> Goal:
    """Return the goal with one limit set, or lifted where `bound` is None."""
    others = tuple(limit for limit in goal.limits if limit.metric is not metric)
    new = () if bound is None else (Limit(metric=metric, bound=bound, sustained=sustained),)
    return goal.model_copy(update={"limits": others + new})


def read_changes(changes: tuple[str, ...], goal: Goal) -> tuple[Goal, dict[str, Any], str | None]:
    """Return the changed goal, the changed facts and the new target device, if one is named."""
    facts: dict[str, Any] = {}
    target = None
    for change in changes:
        name, equals, text = (part.strip() for part in change.partition("="))
        name = name.lstrip("-").replace("-", "_") if "." not in name else name
        if not equals or not text:
            raise GoalError(f"{change!r} is not a change", remedy="Write NAME=VALUE, for instance max_drop=2.")
        name = _OF_GOAL.get(name, name)
        if name == "target":
            target = text
        elif name in _LIMITS or name == "min_fps":
            goal = _limit(goal, name, text)
        elif name in _CHOICES:
            goal = _choice(goal, name, text)
        else:
            facts[name] = _fact(name, text)
    return goal, facts, target


def _limit(goal: Goal, name: str, text: str) -> Goal:
    metric, unit = _LIMITS.get(name, (Metric.LATENCY, "fps"))
    if text == "none":
        return with_limit(goal, metric, None)
    value = parse_quantity(text, unit, name)
    if name == "min_fps":
        if value == 0:
            raise GoalError("min_fps must be positive")
        value = 1000.0 / value * goal.batch
    return with_limit(goal, metric, value, sustained=name == "min_fps")


def _choice(goal: Goal, name: str, text: str) -> Goal:
    try:
        return Goal.model_validate(goal.model_dump() | {_CHOICES[name]: text})
    except ValidationError as error:
        allowed = error.errors()[0].get("ctx", {}).get("expected", "")
        raise GoalError(f"{name}={text} is not possible", remedy=f"Use one of {allowed}.") from error


def _fact(name: str, text: str) -> Any:
    vocabulary = load_vocabulary()
    if name == "user.batch":
        raise GoalError("the batch can not be changed afterwards", remedy="Make a new plan with --batch.")
    if name not in vocabulary:
        known = [*_LIMITS, "min_fps", *_CHOICES, "target", *vocabulary]
        raise GoalError(
            f"{name!r} can not be changed: it is neither a limit nor a fact",
            remedy=nearest(name, known) or f"Limits are {', '.join(_LIMITS)}.",
        )
    value = yaml.safe_load(text)
    if vocabulary[name].type == "set":
        value = frozenset(value if isinstance(value, list) else str(value).split(","))
    if problem := vocabulary[name].complaint(value):
        raise GoalError(f"{name}: {problem}")
    return value
