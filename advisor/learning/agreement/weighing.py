"""Weights of measurements and what they show together: networks have one vote each, and within one its devices."""

from collections import Counter
from collections.abc import Sequence

from .pair import Pair


def weights_of(pairs: Sequence[Pair]) -> list[float]:
    """Return weights that sum to 1: equal for networks, within a network for devices, within a device for pairs."""
    cells = Counter((pair.model, pair.device) for pair in pairs)
    devices = Counter(model for model, _ in cells)
    models = len(devices)
    return [1 / (models * devices[pair.model] * cells[pair.model, pair.device]) for pair in pairs]


def quantile(values: Sequence[float], weights: Sequence[float], share: float) -> float:
    """Return a weighted quantile: each value stands in the middle of its weight, between them it is interpolated."""
    ordered = sorted(zip(values, weights, strict=True))
    total, below = sum(weights), 0.0
    before: tuple[float, float] | None = None
    for value, weight in ordered:
        place = (below + weight / 2) / total
        if place >= share:
            if before is None or place == before[0]:
                return value
            return before[1] + (value - before[1]) * (share - before[0]) / (place - before[0])
        before, below = (place, value), below + weight
    return ordered[-1][0]
