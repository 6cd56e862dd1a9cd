"""Training batches in random order, moved by a few pixels."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .images import ImageReader
from .items import Item
from .tasks import Task, module_score


@dataclass(frozen=True)
class Images:
    """What a training looks at: images that teach, images that choose the best epoch, and what is asked of them."""

    train: tuple[Item, ...]
    held: tuple[Item, ...]
    reader: ImageReader
    task: Task

    def judge(self, module: Any) -> float:
        """Return the task's figure of a module on the images held back, more is better."""
        return module_score(self.task, module, self.held, self.reader)


def shuffled(
    images: Images, size: int, shift: int, random: np.random.Generator, least: int = 2
) -> Iterator[tuple[Any, Any]]:
    """Yield shifted batches and their targets as the task's loss takes them; one of fewer than `least` is left out.

    Batch norm needs two images.
    """
    import torch

    order = random.permutation(len(images.train))
    for start in range(0, len(order), size):
        chosen = [images.train[i] for i in order[start : start + size]]
        if len(chosen) < least:
            continue
        batch = shifted(images.reader.batch(chosen), shift, random)
        yield torch.from_numpy(batch), images.task.collate(images.task.targets(chosen, images.reader))


def shifted(images: NDArray[Any], shift: int, random: np.random.Generator) -> NDArray[Any]:
    """Move each image by up to a `shift`-th of its longer side, repeating the border."""
    reach = max(images.shape[2:]) // shift if shift else 0
    if reach == 0:
        return images
    padded = np.pad(images, ((0, 0), (0, 0), (reach, reach), (reach, reach)), mode="edge")
    height, width = images.shape[2:]
    places = random.integers(0, 2 * reach + 1, size=(len(images), 2))
    return np.stack([one[:, y : y + height, x : x + width] for one, (y, x) in zip(padded, places, strict=True)])


def slices(targets: Any, bounds: list[int]) -> list[Any]:
    """Cut targets at these places: tensors and lists along the batch, what a dictionary holds each for itself."""
    if isinstance(targets, dict):
        cut = {name: slices(value, bounds) for name, value in targets.items()}
        return [{name: parts[i] for name, parts in cut.items()} for i in range(len(bounds) - 1)]
    return [targets[start:end] for start, end in pairwise(bounds)]


def placed(targets: Any, device: Any) -> Any:
    """Return targets on a device, whatever holds the tensors."""
    if isinstance(targets, dict):
        return {name: placed(value, device) for name, value in targets.items()}
    if isinstance(targets, list | tuple):
        return type(targets)(placed(value, device) for value in targets)
    return targets.to(device) if hasattr(targets, "to") else targets
