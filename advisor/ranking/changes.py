"""Reading 'max_drop=2', 'goal=latency' or 'data.calib_n=500' as changes of a goal or of facts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from advisor.errors import GoalError, nearest
from advisor.rules.vocabulary import load_vocabulary
from advisor.schema import Goal, Limit, Metric
from advisor.units import parse_quantity

LIMITS = {
    "max_latency": (Metric.LATENCY, "ms"),
    "max_size": (Metric.SIZE, "MB"),
    "max_memory": (Metric.MEMORY, "MB"),
    "max_energy": (Metric.ENERGY, "mJ"),
    "max_flash": (Metric.FLASH, "MB"),
    "max_drop": (Metric.ACCURACY, "pp"),
}
_CHOICES = {"goal": "kind", "budget": "budget"}
_SETTINGS = ("runtime", "unit", "power_mode")  # texts of the goal; 'none' takes them back
_COUNTS = ("batch", "threads")
# Facts that only repeat the goal: changing one changes the goal, so that limits and rules never disagree.
OF_GOAL = {
    "user.max_drop_pp": "max_drop",
    "user.latency_ms": "max_latency",
    "user.size_mb": "max_size",
    "user.memory_mb": "max_memory",
    "user.energy_mj": "max_energy",
    "user.flash_mb": "max_flash",
    "user.goal": "goal",
    "user.budget": "budget",
    "user.batch": "batch",
}
# Each holds the others, the inner one first.
_PARTS = {"data.labelled_n": ("data.train_n", "data.test_n"), "data.images_n": ("data.labelled_n", "data.calib_n")}
_PLANS = ("plan.",)
BY_HAND = ("model.", "dev.", "rt.")


@dataclass(frozen=True)
class Changed:
    """What a question changes: the goal, facts, the device, the images.

    `anew`: plans or estimates depend on it, so the answer needs the model again; `needed` where there is none without.
    """

    goal: Goal
    facts: dict[str, Any] = field(default_factory=dict)
    target: str | None = None
    data: Path | None = None
    anew: bool = False
    needed: bool = False

    @property
    def by_hand(self) -> tuple[str, ...]:
        """The changed facts that estimates were made from."""
        return tuple(name for name in self.facts if name.startswith(BY_HAND))


def with_limit(goal: Goal, metric: Metric, bound: float | None, *, sustained: bool = False) -> Goal:
    """Return the goal with one limit set, or lifted where `bound` is None."""
    others = tuple(limit for limit in goal.limits if limit.metric is not metric)
    new = () if bound is None else (Limit(metric=metric, bound=bound, sustained=sustained),)
    return goal.model_copy(update={"limits": others + new})


def read_changes(changes: tuple[str, ...], goal: Goal, facts: Mapping[str, Any] | None = None) -> Changed:
    """Read changes of a goal and of the facts of a case; what hangs together by count is kept together."""
    found = Changed(goal)
    for change in changes:
        name, equals, text = (part.strip() for part in change.partition("="))
        name = name.lstrip("-").replace("-", "_") if "." not in name else name
        if not equals or not text:
            raise GoalError(f"{change!r} is not a change", remedy="Write NAME=VALUE, for instance max_drop=2.")
        found = _with(found, OF_GOAL.get(name, name), text)
    return replace(found, facts=together(found.facts, facts or {}))


def _with(found: Changed, name: str, text: str) -> Changed:
    if name == "target":
        return replace(found, target=text, anew=True, needed=True)
    if name == "data":
        return replace(found, data=Path(text).expanduser(), anew=True)
    if name in LIMITS or name == "min_fps":
        return replace(found, goal=_limit(found.goal, name, text))
    if name in _CHOICES:
        return replace(found, goal=_choice(found.goal, name, text), anew=found.anew or name == "budget")
    if name in _SETTINGS or name in _COUNTS:
        return replace(found, goal=_setting(found.goal, name, text), anew=True, needed=True)
    return replace(found, facts=found.facts | {name: _fact(name, text)})


def _limit(goal: Goal, name: str, text: str) -> Goal:
    metric, unit = LIMITS.get(name, (Metric.LATENCY, "fps"))
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


def _setting(goal: Goal, name: str, text: str) -> Goal:
    if name in _COUNTS and text != "none":
        if not text.isdecimal() or int(text) < 1:
            raise GoalError(f"{name}={text} is not a count", remedy="Give 1 or more.")
        return goal.model_copy(update={name: int(text)})
    if name == "batch":
        raise GoalError("there is no answer without a batch", remedy="Give 1 or more.")
    return goal.model_copy(update={name: None if text == "none" else text})


def _fact(name: str, text: str) -> Any:
    vocabulary = load_vocabulary()
    if name not in vocabulary:
        known = [*LIMITS, "min_fps", *_CHOICES, *_SETTINGS, *_COUNTS, "target", "data", *vocabulary]
        raise GoalError(
            f"{name!r} can not be changed: it is neither a limit nor a fact",
            remedy=nearest(name, known) or f"Limits are {', '.join(LIMITS)}.",
        )
    if name.startswith(_PLANS):
        raise GoalError(
            f"{name} differs from plan to plan and follows from its steps",
            remedy="Compare plans with --why-not, or change a limit, the goal or a fact of the case.",
        )
    if text == "unknown":
        return None
    value = yaml.safe_load(text)
    if vocabulary[name].type == "set":
        value = frozenset(value if isinstance(value, list) else str(value).split(","))
    if problem := vocabulary[name].complaint(value):
        raise GoalError(f"{name}: {problem}")
    return value


def together(changed: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changed facts with those that must follow: no part of the images may outnumber the whole."""
    found = dict(changed)
    for whole, parts in _PARTS.items():  # from the inner to the outer: a part that grows takes its whole along
        size = found.get(whole, facts.get(whole))
        for part in parts:
            count = found.get(part)
            if count is None or size is None or count <= size:
                continue
            if whole in changed:
                raise GoalError(f"{part}={count} is more than {whole}={size}", remedy="Change both, or one of them.")
            found[whole] = size = count
    for whole, parts in reversed(_PARTS.items()):  # a whole that shrinks cuts its parts
        size = found.get(whole)
        for part in parts:
            count = found.get(part, facts.get(part))
            if size is not None and count is not None and count > size:
                found[part] = size
    return found


def told(changed: Changed) -> tuple[str, ...]:
    """Say what an answer to these changes leaves out."""
    if not changed.by_hand:
        return ()
    some = ", ".join(changed.by_hand)
    return (f"Only the rules follow {some}: the predicted figures are still those of the model and the device.",)


def written(name: str, value: Any) -> str:
    """Write a change of a fact as `read_changes` takes it."""
    if value is None:
        return f"{name}=unknown"
    if isinstance(value, bool):
        return f"{name}={str(value).lower()}"
    if isinstance(value, int | float):
        return f"{name}={value if isinstance(value, int) else _decimal(value)}"
    if isinstance(value, str):
        return f"{name}={value if yaml.safe_load(value) == value else json.dumps(value)}"
    elements = sorted(value)
    plain = bool(elements) and all(yaml.safe_load(e) == e and "," not in e for e in elements)
    return f"{name}={','.join(elements) if plain else json.dumps(elements)}"


def _decimal(value: float) -> str:
    """Write a number to nine digits; YAML takes an exponent only behind a point."""
    text = f"{value:.9g}"
    return text.replace("e", ".0e") if "e" in text and "." not in text else text
