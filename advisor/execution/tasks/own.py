"""Tasks of the user's: a loss and a figure for each image."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from advisor.errors import DataError

from .task import Task, first

if TYPE_CHECKING:
    from ..geometry import Geometry


class OwnTask(Task):
    """A task by two functions: `loss(outputs, targets)` of a batch and `score(outputs, targets)`, one figure an image.

    The metric is the mean of the figures; `better` says which way is good. `loss` takes tensors, `score` arrays: the
    network's first output and the stacked targets. `fit(target, geometry)` moves targets that belong to places.
    """

    name = "own"

    def __init__(
        self,
        data: Any,
        loss: Callable[[Any, Any], Any],
        score: Callable[[Any, Any], Any],
        *,
        metric: str = "score",
        unit: str = "",
        better: Literal["higher", "lower"] = "higher",
        fit: Callable[[Any, "Geometry"], Any] | None = None,
        located: bool = True,
    ) -> None:
        if better not in ("higher", "lower"):
            raise DataError(f"better={better!r} is neither 'higher' nor 'lower'", remedy="Say which way is good.")
        self.data, self._loss, self._score, self._fit = data, loss, score, fit
        self.metric, self.unit, self.better, self.located = metric, unit, better, located

    def loss(self, outputs: Any, targets: Any) -> Any:
        """Return what the user's function says."""
        return self._loss(outputs, targets)

    def fit(self, target: Any, geometry: "Geometry") -> Any:
        """Move the target as the user's function does, if there is one."""
        return target if self._fit is None else self._fit(target, geometry)

    def observe(self, outputs: tuple[Any, ...], targets: Sequence[Any]) -> list[float]:
        """Return the figure of each image."""
        figures = np.asarray(self._score(np.asarray(first(outputs)), np.asarray(targets)), dtype=np.float64).reshape(-1)
        if len(figures) != len(targets):
            raise DataError(
                f"score gave {len(figures)} figures for {len(targets)} images",
                remedy="Return one figure for each image; their mean is the metric.",
            )
        if not np.isfinite(figures).all():
            raise DataError("score gave a figure that is no number", remedy="Check the targets and the score.")
        return [float(figure) for figure in figures]

    def score(self, observations: Sequence[float]) -> float:
        """Return the mean."""
        return float(np.mean(observations))
