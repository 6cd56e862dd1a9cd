"""The list of techniques: what each proposes, how it previews itself, and whether this version can carry it out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from advisor.errors import nearest
from advisor.schema import Device, ExecPath, Goal, Step, Workload


@dataclass(frozen=True)
class Case:
    """What a technique may look at when it proposes settings."""

    workload: Workload
    device: Device
    goal: Goal
    facts: dict[str, Any]  # model, dev, data and user facts; see knowledge/facts.yaml


Propose = Callable[[Case, ExecPath], tuple[Step, ...]]
Preview = Callable[[Any, Workload], Workload]


@dataclass(frozen=True)
class Technique:
    """One technique. `propose` gives settings worth trying on a path; `preview` transforms the workload."""

    name: str
    title: str
    step: type[Step]
    propose: Propose
    preview: Preview
    applies: bool  # `apply.py` exists beside `step.py`


_TECHNIQUES: dict[str, Technique] = {}


def register(technique: Technique) -> None:
    """Add a technique; a second one of the same name is a mistake."""
    if technique.name in _TECHNIQUES:
        raise ValueError(f"technique {technique.name!r} is registered twice")
    _TECHNIQUES[technique.name] = technique


def get(name: str) -> Technique:
    """Return the technique of this name."""
    if name not in _TECHNIQUES:
        raise KeyError(f"unknown technique {name!r}. {nearest(name, _TECHNIQUES)}")
    return _TECHNIQUES[name]


def all_techniques() -> tuple[Technique, ...]:
    """Every technique in order of registration."""
    return tuple(_TECHNIQUES.values())
