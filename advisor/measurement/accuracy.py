"""Running an artefact over labelled images, and the paired difference in top-1 of two on the same images."""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.runtimes import Session

from .comparison import Z95, Compared

# Which session, how many images, their targets, and its answer when it is there.
_Waiting = deque[tuple[int, int, Sequence[Any], Future[tuple[NDArray[Any], ...]]]]


@dataclass(frozen=True)
class Paired:
    """Two classifiers on the same images: who was right where."""

    images: int
    both: int  # images that both get right
    lost: int  # right before, wrong after
    won: int  # wrong before, right after
    agree: int  # same prediction, right or wrong

    @property
    def before(self) -> float:
        """Top-1 of the first, in percent."""
        return 100 * (self.both + self.lost) / self.images

    @property
    def after(self) -> float:
        """Top-1 of the second, in percent."""
        return 100 * (self.both + self.won) / self.images

    @property
    def delta(self) -> float:
        """Second minus first, in percentage points."""
        return 100 * (self.won - self.lost) / self.images

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the difference in points (Bonett and Price 2012: one image is added to either change)."""
        n = self.images + 2
        won, lost = (self.won + 1) / n, (self.lost + 1) / n
        centre, spread = won - lost, Z95 * math.sqrt((won + lost - (won - lost) ** 2) / n)
        return 100 * max(-1.0, centre - spread), 100 * min(1.0, centre + spread)

    @property
    def agreement(self) -> float:
        """Share of images with the same prediction, in percent."""
        return 100 * self.agree / self.images

    def compared(self) -> Compared:
        """Return the comparison in the words that all metrics share."""
        low, high = self.interval
        lost, won = self.lost / self.images, self.won / self.images
        after_low, after_high = wilson(self.both + self.won, self.images)
        return Compared(
            images=self.images,
            metric="top-1",
            unit="%",
            before=self.before,
            after=self.after,
            delta=self.delta,
            low=low,
            high=high,
            standard_error=100 * math.sqrt(max(0.0, won + lost - (won - lost) ** 2) / self.images),
            after_low=after_low,
            after_high=after_high,
            how="for paired proportions",
            agreement=self.agreement,
            note=f"{self.lost} images lost, {self.won} won, {self.agreement:.1f} % of predictions agree",
        )


def wilson(hits: int, images: int) -> tuple[float, float]:
    """Return the 95 % interval of a proportion in percent (Wilson 1927)."""
    share, n = hits / images, images
    centre = (share + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    spread = Z95 / (1 + Z95**2 / n) * math.sqrt(share * (1 - share) / n + Z95**2 / (4 * n * n))
    return 100 * (centre - spread), 100 * (centre + spread)


def pair(labels: NDArray[Any], before: NDArray[Any], after: NDArray[Any]) -> Paired:
    """Count where two sets of predictions are right."""
    was, now = before == labels, after == labels
    return Paired(
        images=len(labels),
        both=int((was & now).sum()),
        lost=int((was & ~now).sum()),
        won=int((~was & now).sum()),
        agree=int((before == after).sum()),
    )


def observe(
    sessions: Sequence[Session],
    batches: Iterable[tuple[NDArray[Any], Sequence[Any]]],
    observation: Callable[[tuple[NDArray[Any], ...], Sequence[Any]], list[Any]],
    seen: Callable[[int], None] | None = None,
    callers: int = 1,
) -> list[list[Any]]:
    """Return an observation for each image, a list a session; all sessions read the same images.

    Batches smaller than the artefact's are filled with zeros. While a batch runs, the next are read; `callers` run at a
    time, which the sessions' runtime has to allow.
    """
    found: list[list[Any]] = [[] for _ in sessions]
    for which, count, targets, outputs in _answered(sessions, batches, callers):
        found[which] += observation(outputs, targets)
        if seen is not None:
            seen(count)
    return found


def _answered(
    sessions: Sequence[Session], batches: Iterable[tuple[NDArray[Any], Sequence[Any]]], callers: int
) -> Iterator[tuple[int, int, Sequence[Any], tuple[NDArray[Any], ...]]]:
    waiting: _Waiting = deque()
    with ThreadPoolExecutor(callers) as pool:
        for images, targets in batches:
            for which, session in enumerate(sessions):
                waiting.append((which, len(images), targets, pool.submit(_outputs, session, images)))
            while len(waiting) > callers:
                yield _first(waiting)
        while waiting:
            yield _first(waiting)


def _first(waiting: _Waiting) -> tuple[int, int, Sequence[Any], tuple[NDArray[Any], ...]]:
    which, count, targets, running = waiting.popleft()
    return which, count, targets, running.result()


def _outputs(session: Session, images: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    size, filled = session.input_shape[0], images
    if len(images) < size:
        filled = np.zeros((size, *images.shape[1:]), dtype=np.float32)
        filled[: len(images)] = images
    return tuple(out[: len(images)] if out.ndim and len(out) == size else out for out in session.outputs(filled))
