"""Precisions that a runtime was measured in only with networks of their own.

What such a precision costs cannot be told from what its networks cost. The answer is then that of the precision most
measured there, times what the step between the two costs in other runtimes on this kind of unit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from advisor.resources import data_dir, read_yaml

from .setup import BYTES, STEP, Setup
from .store import UnitModel


@dataclass(frozen=True)
class Detour:
    """The setup to ask instead, and the factors from its time to that of the precision that was asked."""

    setup: Setup
    low: float
    mid: float
    high: float
    note: str


@lru_cache(maxsize=1)
def _steps() -> dict[str, dict[str, Sequence[float]]]:
    found: dict[str, dict[str, Sequence[float]]] = read_yaml(
        data_dir("knowledge") / "prediction" / "precision_steps.yaml"
    )
    return found


def detour(model: UnitModel, setup: Setup, network: str) -> Detour | None:
    """Return the way around a precision whose level is not known; None where it is, or where no step is."""
    anchor = model.anchors.get(setup.way)
    if anchor is None or model.seen("network way", f"{network}|{setup.way}"):
        return None
    step = _steps().get(setup.unit, {}).get(f"{setup.precision}/{anchor}")
    if step is None:
        return None
    low, mid, high, n = step
    peak = None if setup.gmacs is None else setup.gmacs * STEP[anchor] / setup.step
    asked = replace(setup, precision=anchor, gmacs=peak, step=STEP[anchor], bytes=BYTES.get(anchor, 4.0))
    note = f"no network was measured in {setup.precision} and {anchor}: {anchor} times the step of other runtimes"
    return Detour(asked, low / mid, mid, high / mid, f"{note} (n={n:.0f})")
