"""Ranges of activations that minimize the squared error of 8-bit rounding plus clipping, from histograms."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVELS = 255  # steps of an 8-bit grid
_SHRINK = np.linspace(0.1, 1.0, 91)  # candidates for an end of the range, as shares of the extreme that was seen

Histogram = tuple[Any, ...]  # counts, edges, least, largest, ... as onnxruntime's collector keeps them


def ranges(histograms: Mapping[str, Histogram], *, symmetric: bool) -> dict[str, tuple[Any, Any]]:
    """Return the best range of every tensor."""
    found = {}
    for name, (counts, edges, least, largest, *_) in histograms.items():
        low, high = best_range(counts, edges, float(least), float(largest), symmetric=symmetric)
        found[name] = (np.array(low, np.float32), np.array(high, np.float32))
    return found


def best_range(
    counts: NDArray[Any], edges: NDArray[Any], least: float, largest: float, *, symmetric: bool = False
) -> tuple[float, float]:
    """Return the range around zero with the least expected error.

    Values inside err by step^2 / 12 on average, values beyond an end by their distance from it. Those in the bin of
    zero count as exact, because zero is a level of the grid. The upper end is searched first, then the lower.
    """
    low, high = min(least, 0.0), max(largest, 0.0)
    if high == low:
        return low, high
    centers = (edges[:-1] + edges[1:]) / 2
    mass = counts / counts.sum()
    inexact = np.where((edges[:-1] <= 0) & (edges[1:] >= 0), 0.0, mass)

    def error(low: float, high: float) -> float:
        inside = (centers >= low) & (centers <= high)
        beyond = np.maximum(centers - high, 0) + np.maximum(low - centers, 0)
        step = (high - low) / LEVELS
        return float(step**2 / 12 * inexact[inside].sum() + (mass * beyond**2).sum())

    if symmetric:
        reach = max(-low, high)
        share = min(_SHRINK, key=lambda share: error(-share * reach, share * reach))
        return -float(share) * reach, float(share) * reach
    top = high * float(min(_SHRINK, key=lambda share: error(low, share * high)))
    bottom = low * float(min(_SHRINK, key=lambda share: error(share * low, top)))
    return bottom, top
