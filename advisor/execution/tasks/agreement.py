"""What can be said without labels: how often a network answers as another does. That is no accuracy."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from advisor.measurement.accuracy import wilson
from advisor.measurement.comparison import Z95, Compared

from .task import Task

if TYPE_CHECKING:
    from ..images import ImageReader
    from ..items import Item

_CELLS = 64  # of each side of a map of classes that are kept, evenly spread: 5000 whole maps would fill the memory


class Agreement(Task):
    """Images without labels. An observation is a class, a map of classes, or the outputs where they are no classes."""

    name = "none (no labels)"
    metric = "agreement"
    unit = "%"

    def targets(self, items: Sequence["Item"], reader: "ImageReader") -> list[Any]:
        """Return nothing for each image."""
        del reader
        return [None] * len(items)

    def observe(self, outputs: tuple[Any, ...], targets: Sequence[Any]) -> list[NDArray[Any]]:
        """Return what the network answers."""
        scores: NDArray[Any] = np.asarray(outputs[0])[: len(targets)]
        if scores.ndim == 2 and scores.shape[1] > 1:
            return list(scores.argmax(axis=1))
        if scores.ndim == 4 and scores.shape[1] > 1:
            rows, columns = (max(1, -(-edge // _CELLS)) for edge in scores.shape[2:])
            return list(scores[:, :, ::rows, ::columns].argmax(axis=1).astype(np.uint16))
        return list(scores.reshape(len(scores), -1).astype(np.float16))

    def compare(self, before: Sequence[NDArray[Any]], after: Sequence[NDArray[Any]], seed: int) -> Compared:
        """Return the share of equal answers; of outputs that are no classes, the mean cosine similarity."""
        del seed
        count, classes = len(before), before[0].dtype.kind in "iu"
        alike = np.array([_alike(b, a) for b, a in zip(before, after, strict=True)])
        share = 100 * float(alike.mean())
        spread = 100 * float(alike.std()) / count**0.5
        low, high = max(-100.0, share - Z95 * spread), min(100.0, share + Z95 * spread)
        if classes and before[0].ndim == 0:
            low, high = wilson(int(alike.sum()), count)
        return Compared(
            images=count,
            metric="agreement" if classes else "cosine similarity of the outputs",
            unit="%",
            before=None,
            after=share,
            delta=None,
            low=None,
            high=None,
            standard_error=0.0,
            after_low=low,
            after_high=high,
            how="",
            agreement=share if classes else None,
        )


def _alike(before: NDArray[Any], after: NDArray[Any]) -> float:
    if before.dtype.kind in "iu":
        return float(np.mean(before == after)) if before.shape == after.shape else _resampled(before, after)
    one, other = (side.astype(np.float64).ravel() for side in (before, after))
    if one.shape != other.shape:
        return 0.0
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / length if length else float(not one.any() and not other.any())


def _resampled(before: NDArray[Any], after: NDArray[Any]) -> float:
    """Compare maps of different sizes at the places of the smaller one."""
    small, large = sorted((before, after), key=lambda side: side.size)
    picked = [np.arange(n) * m // n for n, m in zip(small.shape, large.shape, strict=True)]
    return float(np.mean(small == large[np.ix_(*picked)]))
