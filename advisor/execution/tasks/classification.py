"""Classification: cross-entropy and top-1, compared image by image."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from advisor.measurement.accuracy import pair
from advisor.measurement.comparison import Compared

from .task import Task, first

if TYPE_CHECKING:
    from ..images import ImageReader
    from ..items import Item


class Classification(Task):
    """One class for each image. An observation is (predicted class, class)."""

    name = "classification"
    metric = "top-1"
    unit = "%"

    def loss(self, outputs: Any, targets: Any) -> Any:
        """Return the cross-entropy."""
        from torch.nn.functional import cross_entropy

        return cross_entropy(first(outputs), targets)

    def targets(self, items: Sequence["Item"], reader: "ImageReader") -> list[Any]:
        """Return the class indices; no image is read for them."""
        del reader
        return [item.label for item in items]

    def collate(self, targets: Sequence[Any]) -> Any:
        """Return the class indices as a tensor."""
        import torch

        return torch.tensor(targets, dtype=torch.int64)

    def observe(self, outputs: tuple[Any, ...], targets: Sequence[Any]) -> list[tuple[int, int]]:
        """Take the largest output as the prediction."""
        scores: NDArray[Any] = np.asarray(outputs[0])
        found = scores.reshape(len(scores), scores.shape[1], -1).mean(axis=2).argmax(axis=1)
        return list(zip(found.tolist(), (int(t) for t in targets), strict=True))

    def score(self, observations: Sequence[tuple[int, int]]) -> float:
        """Return top-1 in percent."""
        return 100 * float(np.mean([found == wanted for found, wanted in observations]))

    def compare(self, before: Sequence[tuple[int, int]], after: Sequence[tuple[int, int]], seed: int) -> Compared:
        """Count who was right where; the interval is that of paired proportions."""
        del seed
        labels = np.array([wanted for _, wanted in before])
        found = [np.array([predicted for predicted, _ in side]) for side in (before, after)]
        return pair(labels, *found).compared()
