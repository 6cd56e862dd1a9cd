"""Facts that would make another plan win if they were different, or turned out so where they are not known."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from advisor.rules.expressions import Expr
from advisor.rules.vocabulary import FactSpec
from advisor.rules.wording import show

from ..changes import BY_HAND, OF_GOAL, together, written
from ..weights import load_weights
from .alternative import Alternative, doublings, rounded_away
from .breakpoints import conditions, numbers, others, thresholds
from .probing import Probe

_NAMES = ("dev.id", "dev.vendor", "dev.is_host")  # who a device is: another device is another question
_FOLLOWING = ("data.train_pipeline",)  # follows from the budget
_NEAR = 1.02  # a rounded value may lie this much further away than the exact one
BY_RULES = "rules only: the predicted figures do not follow this fact"


def turned_facts(probe: Probe) -> Iterator[Alternative]:
    """Look at every fact of the case that rules read, one at a time; the nearest value on either side that matters."""
    for name in varied(probe):
        present = probe.case.get(name)
        if present is None:
            yield from _of_unknown(probe, name)
        elif probe.rules.vocabulary[name].type == "number":
            yield from _of_number(probe, name, present)
        else:
            yield from _of_other(probe, name, present)


def varied(probe: Probe) -> tuple[str, ...]:
    """Return the facts that can be looked at by themselves."""
    left_out = {*_NAMES, *_FOLLOWING, *OF_GOAL}
    return tuple(name for name in probe.case_names if name not in left_out)


def values_of(probe: Probe, name: str) -> tuple[Any, ...]:
    """Return one legal value of a fact for every answer that rules can give on it."""
    spec, parts = _spec_and_parts(probe, name)
    if spec.type == "number":
        return numbers(spec, None, _thresholds(probe, name, parts))[1]
    return others(spec, None, parts)


def place(probe: Probe, name: str, value: Any) -> str:
    """Say where a value that was tried lies: at a threshold of the rules, above or below one."""
    spec, parts = _spec_and_parts(probe, name)
    if spec.type != "number":
        return f"at {show(value, spec.unit)}"
    found = _thresholds(probe, name, parts)
    if value in found or not found:
        return f"at {show(value, spec.unit)}"
    under = [t for t in found if t < value]
    return f"above {show(max(under), spec.unit)}" if under else f"below {show(min(found), spec.unit)}"


def winner_if(probe: Probe, name: str, value: Any) -> int | None:
    """Return who wins if one fact has this value; what hangs together by count follows."""
    return probe.winner(changed=together({name: value}, probe.case))


def _spec_and_parts(probe: Probe, name: str) -> tuple[FactSpec, Sequence[Expr]]:
    return probe.rules.vocabulary[name], conditions(probe.rules, probe.readers[name])


def _thresholds(probe: Probe, name: str, parts: Sequence[Expr]) -> tuple[float, ...]:
    return thresholds(name, parts, [{**probe.case, **own} for own in probe.own])


def _of_unknown(probe: Probe, name: str) -> Iterator[Alternative]:
    size = load_weights().changes.learned
    short = math.inf  # nothing lies below the first value, which is rounded down
    for value in values_of(probe, name):
        winner = winner_if(probe, name, value)
        if winner != probe.now.winner:
            told = _rounded(value, short, _alike(probe, name, winner)) if isinstance(value, float) else value
            yield Alternative("fact", written(name, told), "", "unknown", size, winner)
            return
        short = value if isinstance(value, int | float) else short


def _of_number(probe: Probe, name: str, present: float) -> Iterator[Alternative]:
    spec, parts = _spec_and_parts(probe, name)
    for side in numbers(spec, present, _thresholds(probe, name, parts)):
        short = present
        for value in side:
            winner = winner_if(probe, name, value)
            if winner != probe.now.winner:
                shown = _rounded(value, short, _alike(probe, name, winner))
                yield _numeric(spec, present, shown, short, winner)
                break
            short = value


def _alike(probe: Probe, name: str, winner: int | None) -> Callable[[float], bool]:
    """Return the test whether another value is legal and makes the same plan win."""
    spec = probe.rules.vocabulary[name]
    return lambda value: not spec.complaint(value) and winner_if(probe, name, value) == winner


def _numeric(spec: FactSpec, present: float, value: float, short: float, winner: int | None) -> Alternative:
    sizes = load_weights().changes
    distance = doublings(present, value)
    return Alternative(
        "fact",
        written(spec.name, value),
        "" if short == present else written(spec.name, short),
        show(present, spec.unit),
        (sizes.switch if distance is None else distance) * _factor(spec.name),
        winner,
        _note(spec.name),
    )


def _rounded(value: float, short: float, still: Callable[[float], bool]) -> float:
    """Round a value away from the side where nothing changes, to as few digits as change the winner alike."""
    if isinstance(value, int) or value <= 0:
        return value
    near = (v for v in rounded_away(value, short) if v > 0 and max(v, value) <= _NEAR * min(v, value))
    return next((v for v in near if still(v)), value)


def _of_other(probe: Probe, name: str, present: Any) -> Iterator[Alternative]:
    spec, parts = _spec_and_parts(probe, name)
    size = load_weights().changes.switch * _factor(name)
    told = {probe.now.winner}
    for value in others(spec, present, parts):
        winner = winner_if(probe, name, value)
        if winner not in told:
            told.add(winner)
            yield Alternative("fact", written(name, value), "", show(present, spec.unit), size, winner, _note(name))


def _factor(name: str) -> float:
    return load_weights().changes.by_hand if name.startswith(BY_HAND) else 1.0


def _note(name: str) -> str:
    return BY_RULES if name.startswith(BY_HAND) else ""
