"""The situations that rules can meet: every execution path of every profile, and every plan of one technique.

What depends on a model or on numeric settings is left out, that is, open; so a rule that is false here is false for
every model and every setting. Sets of paths and of plans are the bits of a number.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from typing import Any, Literal, get_args, get_origin

import advisor.techniques  # noqa: F401 - registers them
from advisor.devices import list_devices
from advisor.facts import device_facts, facts_of_steps, path_facts
from advisor.schema import NO_MODEL, Plan, Step
from advisor.techniques.registry import all_techniques

from .expressions import Facts

_OF_A_MODEL = (
    "rt.unsupported_mac_share", "rt.unsupported_ops", "rt.graph_cuts", "rt.compute_bound", "rt.weight_bound",
    "rt.activation_bound",
)  # fmt: skip
_COUNTED = ("plan.steps_n", "plan.bits_w", "plan.bits_a")  # numbers that a technique fixes
_SOME: dict[Any, int | float] = {int: 1, float: 0.5}  # a setting that does something

Cut = tuple[tuple[str, Any], ...]  # the facts of a situation that a condition reads


def is_open(name: str) -> bool:
    """Whether a fact is left open by the situations, rather than unknown of the device."""
    return name in _OF_A_MODEL or not name.startswith(("dev.", "rt."))


@cache
def paths_by_class() -> Mapping[str, int]:
    """Return the paths of every class of devices."""
    return _masks([kind for kind, _ in _paths()])


@cache
def plans_by_technique() -> Mapping[str, int]:
    """Return the plans of every technique; the plan without steps has the name ''."""
    return _masks([technique for technique, _ in _plans()])


@cache
def paths_by(names: tuple[str, ...]) -> Mapping[Cut, int]:
    """Group the paths by what they say of some facts."""
    return _groups(names, [facts for _, facts in _paths()])


@cache
def plans_by(names: tuple[str, ...]) -> Mapping[Cut, int]:
    """Group the plans by what they say of some facts."""
    return _groups(names, [facts for _, facts in _plans()])


def of_paths(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the facts that a path decides."""
    return tuple(sorted(name for name in names if not is_open(name)))


def of_plans(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the facts that a plan decides."""
    return tuple(sorted(name for name in names if name.startswith("plan.")))


def _masks(labels: list[str]) -> Mapping[str, int]:
    return {label: sum(1 << bit for bit, one in enumerate(labels) if one == label) for label in dict.fromkeys(labels)}


def _groups(names: tuple[str, ...], situations: list[Facts]) -> Mapping[Cut, int]:
    groups: dict[Cut, int] = {}
    for bit, facts in enumerate(situations):
        key = tuple((name, facts[name]) for name in names if name in facts)
        groups[key] = groups.get(key, 0) | 1 << bit
    return groups


@cache
def _paths() -> tuple[tuple[str, Facts], ...]:
    return tuple(
        (device.kind, device_facts(device) | path_facts(NO_MODEL, path))
        for device in list_devices()
        for path in device.paths
    )


@cache
def _plans() -> tuple[tuple[str, Facts], ...]:
    nothing = _facts_of(None)
    plans = [(t.name, _facts_of(step)) for t in all_techniques() for step in _variants(t.step)]
    return (("", nothing), *((name, _fixed(facts, nothing)) for name, facts in plans))


def _variants(step: type[Step]) -> Iterator[Step]:
    """Make the step with every choice of its settings that are a closed list; numbers are such that they count."""
    fields = step.model_fields.items()
    numbers = {name: _SOME[field.annotation] for name, field in fields if field.annotation in _SOME}
    choices = {name: get_args(field.annotation) for name, field in fields if get_origin(field.annotation) is Literal}
    for values in product(*choices.values()):
        settings: Facts = numbers | dict(zip(choices, values, strict=True))
        yield step.model_construct(**settings)


def _facts_of(step: Step | None) -> Facts:
    plan = Plan.model_construct(steps=() if step is None else (step,), runtime="")
    return facts_of_steps(plan)


def _fixed(facts: Facts, nothing: Facts) -> Facts:
    """Drop the numbers that the technique sets; those that it leaves alone are the same as without it."""
    return {
        name: value
        for name, value in facts.items()
        if name in _COUNTED or isinstance(value, bool | str | frozenset) or value == nothing.get(name)
    }
