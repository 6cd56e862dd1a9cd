"""How far off predictions are: residuals of held-out results, by what was known of the case and by its circumstances.

A group's residuals are kept as quantiles of the bent points (true less predicted). They give the interval, the shift
of the middle, and the probabilities of losing more than some points: no shape of the errors is assumed, and the long
lower tail of a collapse stays a long lower tail.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .case import Case
from .levels import unbent

Numbers = NDArray[np.float64]
# What is known of a case, the nearest first.
OWN, NETWORK, KIT, ELSEWHERE, NEW = "own", "network", "kit", "elsewhere", "new"
SUPPORTS = (OWN, NETWORK, KIT, ELSEWHERE, NEW)
WORDS = {
    OWN: "this network was published with this recipe and toolkit",
    NETWORK: "this network was published with other toolkits, and this toolkit with other networks",
    KIT: "this toolkit was published with other networks",
    ELSEWHERE: "this network was published; the toolkit is not known here",
    NEW: "neither this network nor the toolkit is known here: their likes answer",
}
LEVELS = np.round(np.linspace(0.0125, 0.9875, 40), 4)
_LOW, _HIGH = 0.1, 0.9
_BINS = (1.5, 5.0)  # points of loss that part harmless, noticeable and ruinous predictions


def circumstances(case: Case, predicted: float, sweep: bool) -> tuple[str, ...]:
    """Return the names of the groups of a case, the narrowest first; `predicted` in bent points."""
    loss = max(-unbent(predicted), 0.0)
    size = "harmless" if loss < _BINS[0] else "noticeable" if loss < _BINS[1] else "ruinous"
    grid = "grid" if sweep else "zoo"
    kind = "dense" if case.task in ("detection", "pose", "segmentation") else case.network.kind or "unknown"
    return (
        f"{case.recipe}|{kind}|{size}|{grid}", f"{case.recipe}|{size}|{grid}", f"{case.recipe}|{size}",
        f"{case.technique}|{size}", size, "",
    )  # fmt: skip


@dataclass(frozen=True)
class Spread:
    """A group's residuals: their quantiles at LEVELS, and of how many results and networks."""

    quantiles: Numbers
    n: int
    networks: int

    def points(self, predicted: float, least: float) -> Numbers:
        """Return what may come of a prediction in bent points: points at LEVELS, none below `least`."""
        return np.maximum([unbent(predicted + float(r)) for r in self.quantiles], least)


def span(outcomes: Numbers, mid: float) -> tuple[float, float, float]:
    """Return the 80 % interval of outcomes, and the middle inside it."""
    low, high = (float(np.interp(share, _shares(len(outcomes)), outcomes)) for share in (_LOW, _HIGH))
    return min(low, mid), mid, max(high, mid)


def losing(outcomes: Numbers, points: float, networks: int) -> float:
    """Return the probability of losing more than some points; never quite 0 or 1: n networks cannot tell."""
    share = float(np.interp(-points, outcomes, _shares(len(outcomes)), left=0.0, right=1.0))
    return (share * networks + 0.5) / (networks + 1)


def added(first: Numbers, second: Numbers) -> Numbers:
    """Return the outcomes of two independent changes together, at LEVELS."""
    both = np.sort(np.add.outer(first, second).ravel())
    return np.asarray(np.interp(LEVELS, _shares(len(both)), both), dtype=np.float64)


def _shares(n: int) -> Numbers:
    return LEVELS if n == len(LEVELS) else (np.arange(n) + 0.5) / n


def spread_for(groups: Mapping[str, Spread], names: tuple[str, ...]) -> Spread:
    """Return the narrowest group that was measured."""
    return next(groups[name] for name in names if name in groups)
