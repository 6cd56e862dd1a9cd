"""Semantic segmentation: cross-entropy over pixels and the mean intersection over union."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from advisor.errors import DataError

from .task import Task, first

if TYPE_CHECKING:
    from ..geometry import Geometry

IGNORED = 255  # the label that VOC, Cityscapes and most others give to pixels that do not count


class Segmentation(Task):
    """A class for each pixel; targets are maps (height, width) of class indices, `ignore` marks what does not count.

    Scores of another size than the map are enlarged to it bilinearly. One channel means two classes, divided at 0. An
    observation is (pixels in both, predicted, wanted) by class.
    """

    name = "segmentation"
    metric = "mIoU"
    unit = "%"
    located = True

    def __init__(self, data: Any = None, ignore: int = IGNORED) -> None:
        self.data, self.ignore = data, ignore

    def loss(self, outputs: Any, targets: Any) -> Any:
        """Return the cross-entropy over all pixels that count."""
        from torch.nn import functional

        scores = first(outputs)
        if tuple(scores.shape[2:]) != tuple(targets.shape[1:]):
            scores = functional.interpolate(scores, size=targets.shape[1:], mode="bilinear")
        if scores.shape[1] == 1:
            counted = targets != self.ignore
            return functional.binary_cross_entropy_with_logits(scores[:, 0][counted], targets[counted].float())
        return functional.cross_entropy(scores, targets, ignore_index=self.ignore)

    def fit(self, target: Any, geometry: "Geometry") -> NDArray[np.int64]:
        """Resize and crop the map with its image."""
        labels = np.asarray(target)
        if labels.ndim == 3 and 1 in (labels.shape[0], labels.shape[-1]):
            labels = labels.reshape(labels.shape[1:] if labels.shape[0] == 1 else labels.shape[:2])
        if labels.ndim != 2 or labels.dtype.kind not in "iub" or labels.shape[::-1] != geometry.given:
            raise DataError(
                f"a mask of shape {np.asarray(target).shape} and type {labels.dtype} does not belong to an image of "
                f"{geometry.given[1]} x {geometry.given[0]}",
                remedy="Give a map (height, width) of whole numbers, as large as its image.",
            )
        return geometry.mask(labels, self.ignore)

    def observe(self, outputs: tuple[Any, ...], targets: Sequence[Any]) -> list[NDArray[np.int64]]:
        """Count the pixels of each class."""
        import torch
        from torch.nn import functional

        scores = torch.as_tensor(np.asarray(outputs[0]))
        size = np.asarray(targets[0]).shape
        if tuple(scores.shape[2:]) != tuple(size):
            scores = functional.interpolate(scores, size=size, mode="bilinear")
        classes = max(2, scores.shape[1])
        found = (scores[:, 0] > 0).numpy().astype(np.int64) if scores.shape[1] == 1 else scores.argmax(1).numpy()
        return [_counts(f, np.asarray(t), classes, self.ignore) for f, t in zip(found, targets, strict=True)]

    def score(self, observations: Sequence[NDArray[np.int64]]) -> float:
        """Return the mean IoU in percent over the classes that were wanted or predicted anywhere."""
        both, found, wanted = np.sum(np.stack(observations), axis=0)
        union = found + wanted - both
        seen = union > 0
        return 100 * float((both[seen] / union[seen]).mean()) if seen.any() else 0.0


def _counts(found: NDArray[np.int64], wanted: NDArray[np.int64], classes: int, ignore: int) -> NDArray[np.int64]:
    counted = wanted != ignore
    found, wanted = found[counted], wanted[counted]
    if len(wanted) and not 0 <= wanted.min() <= wanted.max() < classes:
        raise DataError(
            f"a mask has classes {wanted.min()} to {wanted.max()}, the network {classes}",
            remedy="Check the masks, or name the label that does not count: Segmentation(ignore=...).",
        )
    sides = (found[found == wanted], found, wanted)
    return np.stack([np.bincount(side, minlength=classes) for side in sides])
