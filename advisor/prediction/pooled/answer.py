"""Answers of the pooled model: milliseconds with an interval that the errors of like questions earned."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, hypot, log

import numpy as np
from numpy.typing import NDArray

from .amounts import Amounts
from .apart import Detour, detour
from .design import features
from .levels import LEVELS
from .setup import Setup
from .store import WHOLE, Interval, UnitModel

Numbers = NDArray[np.float64]

# How near the measurements are, from the nearest to the farthest; each has intervals of its own.
OWN, SIBLINGS, SETUP, DEVICE_SIBLINGS, DEVICE, CLASS_SIBLINGS, CLASS = (
    "own", "siblings", "setup", "device siblings", "device", "class siblings", "class",
)  # fmt: skip
SUPPORTS = (OWN, SIBLINGS, SETUP, DEVICE_SIBLINGS, DEVICE, CLASS_SIBLINGS, CLASS)
EXPLAINED = {
    OWN: "this network was measured on this device in another way",
    SIBLINGS: "this setup was measured with other networks, and this network on other devices",
    SETUP: "this setup was measured with other networks",
    DEVICE_SIBLINGS: "this device was measured in other setups, and this network on other devices",
    DEVICE: "this device was measured in other setups",
    CLASS_SIBLINGS: "this network was measured on other devices; the device is known by its descriptor alone",
    CLASS: "the device is known by its descriptor alone, the network by its layers",
}
_BY_NAME = {level.name: level for level in LEVELS}
# Devices from which a way is known well enough to be carried over: to a device of a class among them, to any other.
_FEW, _MANY = 4, 8
_HUNDREDS = 200  # or networks that were measured on one device of the class
_FOREIGN = 1.4  # further factor where not even the class of unit was measured in this way


@dataclass(frozen=True)
class Answer:
    """One prediction: milliseconds of one image at this batch, the interval's factors, and what it rests on."""

    ms: float
    low: float
    high: float
    support: str
    n: int  # held-out errors behind the interval
    note: str = ""

    @property
    def confidence(self) -> float:
        """From 0 to 1, by the width of the interval: 0.9 for a factor of 1.3 between its ends, 0.5 for ten."""
        return max(0.1, 0.95 - 0.2 * log(self.high / self.low))


def logarithms(
    model: UnitModel, setups: Sequence[Setup], networks: Sequence[str], amounts: Sequence[Amounts]
) -> Numbers:
    """Return log(ms per image) of many questions, shape (n,)."""
    factors = np.array([model.factors.get(s.way, model.factors[WHOLE]) for s in setups])
    found = features(list(setups), list(amounts), model.usual, factors, model.waves)
    total = found.base.copy()
    for level in LEVELS:
        parts = model.deviations.get(level.name)
        if not parts:
            continue
        keys = [level.key(s, n, a.detail) for s, n, a in zip(setups, networks, amounts, strict=True)]
        for part, groups in parts.items():
            columns = found.parts[part]
            for row, key in enumerate(keys):
                deviation = groups.get(key) if key is not None else None
                if deviation is not None:
                    total[row] += float(columns[row] @ deviation)
    return total


def support_of(model: UnitModel, setup: Setup, network: str) -> str | None:
    """Return how near the measurements are, or None where this runtime and precision were not measured on its likes."""

    def seen(level: str) -> bool:
        return model.seen(level, _BY_NAME[level].key(setup, network, ""))

    if not seen("way"):
        return None
    # A runtime that was measured on a few other devices alone tells nothing of this one.
    devices, networks = model.devices[setup.way], model.networks[f"{setup.way}|{setup.unit_class}"]
    carried = devices >= (_FEW if seen("class") else _MANY) or networks >= _HUNDREDS
    if not (seen("device precision") or carried):
        return None
    siblings = seen("network way")
    if seen("device"):
        if siblings and seen("network device"):
            return OWN
        if seen("setup"):
            return SIBLINGS if siblings else SETUP
        return DEVICE_SIBLINGS if siblings else DEVICE
    return CLASS_SIBLINGS if siblings else CLASS


def answers(
    model: UnitModel, setups: Sequence[Setup], networks: Sequence[str], amounts: Sequence[Amounts]
) -> list[Answer | None]:
    """Return the answers to many questions; None where nothing like it was measured."""
    found = _direct(model, setups, networks, amounts)
    ways = {i: w for i, (s, n) in enumerate(zip(setups, networks, strict=True)) if (w := detour(model, s, n))}
    around = _direct(model, [w.setup for w in ways.values()], [networks[i] for i in ways], [amounts[i] for i in ways])
    for (place, way), answer in zip(ways.items(), around, strict=True):
        direct = found[place]
        if answer is not None and direct is not None and _as_near(answer, direct):
            found[place] = _by(way, answer)
    return found


def _direct(
    model: UnitModel, setups: Sequence[Setup], networks: Sequence[str], amounts: Sequence[Amounts]
) -> list[Answer | None]:
    if not setups:
        return []
    logs = logarithms(model, setups, networks, amounts)
    return [
        _answer(model, s, n, a.detail, float(v)) for s, n, a, v in zip(setups, networks, amounts, logs, strict=True)
    ]


def _as_near(answer: Answer, other: Answer) -> bool:
    return SUPPORTS.index(answer.support) <= SUPPORTS.index(other.support)


def _by(way: Detour, answer: Answer) -> Answer:
    """Carry an answer over to another precision; the two uncertainties are independent."""
    low = exp(-hypot(log(answer.low), log(way.low)))
    high = exp(hypot(log(answer.high), log(way.high)))
    return replace(answer, ms=answer.ms * way.mid, low=low, high=high, note=way.note)


def _answer(model: UnitModel, setup: Setup, network: str, detail: str, value: float) -> Answer | None:
    support = support_of(model, setup, network)
    if support is None:
        return None
    interval = interval_of(model, support, setup.way, detail)
    known = model.seen("class", _BY_NAME["class"].key(setup, network, ""))
    wider = 1.0 if known or support not in (CLASS, CLASS_SIBLINGS) else _FOREIGN
    # The middle of like questions' errors: few very slow networks pull means, and thereby constants, above the middle.
    low, high = interval.low / interval.mid / wider, interval.high / interval.mid * wider
    return Answer(exp(value) * interval.mid, low, high, support, interval.n)


def interval_of(model: UnitModel, support: str, way: str, detail: str) -> Interval:
    """Return the interval of a support: of its way where enough errors were seen, of all, or of a farther one."""
    for name in SUPPORTS[SUPPORTS.index(support) :]:
        known = model.intervals.get(name, {})
        for key in (f"{way}|{detail}", f"|{detail}", ""):
            if key in known:
                return known[key]
    return Interval(0.3, 1.0, 3.3, 0)
