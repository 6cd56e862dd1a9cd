"""Which rules can speak of which techniques and devices: asked of every execution path of every profile."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from advisor.devices import list_devices
from advisor.rules.expressions import Facts
from advisor.rules.load import Compiled, RuleBase
from advisor.rules.partial import foresee
from advisor.rules.situations import is_open, of_paths, of_plans, paths_by, plans_by, plans_by_technique

_FRAMEWORK: dict[str, Any] = {"rt.name": "pytorch", "rt.unit": "cpu", "rt.precisions": frozenset[str]()}
_UNCHANGED = ""  # the name of the plan that changes nothing


@dataclass(frozen=True)
class Reach:
    """Where a rule can hold, for some model and settings; `anywhere` if neither device nor path is asked for."""

    techniques: tuple[str, ...]
    unchanged: bool  # it can also hold for the model as it is
    kinds: tuple[str, ...]
    devices: frozenset[str]
    anywhere: bool


def reaches(base: RuleBase) -> dict[str, Reach]:
    """Return the reach of every rule."""
    return {entry.rule.id: _reach(entry) for entry in base}


def _reach(entry: Compiled) -> Reach:
    may, names = foresee(entry.when, is_open), entry.when.names
    plans = [(dict(cut), mask) for cut, mask in plans_by(of_plans(names)).items()]
    planned, placed = 0, 0
    for place, paths in _places(names):
        here = [mask for plan, mask in plans if may({**place, **plan}) is not False]
        planned |= _union(here)
        placed |= paths if here else 0
    techniques = [name for name, mask in plans_by_technique().items() if mask & planned]
    owners = {owner for bit, owner in enumerate(_owners()) if placed >> bit & 1}
    return Reach(
        techniques=tuple(name for name in techniques if name != _UNCHANGED),
        unchanged=_UNCHANGED in techniques,
        kinds=tuple(sorted({kind for kind, _ in owners})),
        devices=frozenset(device for _, device in owners),
        anywhere=not any(name.startswith(("dev.", "rt.")) for name in names),
    )


def _places(names: tuple[str, ...]) -> Iterator[tuple[Facts, int]]:
    """Yield what the paths look like through some facts, and the framework on devices that do not list it.

    The model as it is would run in the framework, if anywhere.
    """
    yield from ((dict(cut), mask) for cut, mask in paths_by(of_paths(names)).items())
    own = tuple(name for name in names if name.startswith("dev."))
    if all(name in _FRAMEWORK for name in names if name.startswith("rt.")):
        listed = _union([mask for cut, mask in paths_by(("rt.name",)).items() if dict(cut)["rt.name"] == "pytorch"])
        with_framework = {device for bit, (_, device) in enumerate(_owners()) if listed >> bit & 1}
        without = sum(1 << bit for bit, (_, device) in enumerate(_owners()) if device not in with_framework)
        for cut, mask in paths_by(own).items():
            if mask & without:
                yield {**dict(cut), **_FRAMEWORK}, mask & without


@cache
def _owners() -> tuple[tuple[str, str], ...]:
    """Return class and id of the device of every path, in the order of the paths' bits."""
    return tuple((device.kind, device.id) for device in list_devices() for _ in device.paths)


def _union(masks: list[int]) -> int:
    joined = 0
    for mask in masks:
        joined |= mask
    return joined
