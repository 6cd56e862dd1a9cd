"""One update of the weights: a batch, in parts where it does not fit into memory, gradients of all processes."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from advisor.errors import RunError

from .batches import placed, slices
from .faults import out_of_memory
from .hardware import accelerator, anywhere, average_gradients

if TYPE_CHECKING:
    from .training import Training


class Diverged(Exception):
    """The loss is no number any more."""


@dataclass
class Lesson:
    """A training on its way: what is trained, by what, and how far it is."""

    module: Any
    objective: Any
    teacher: Any
    parameters: list[Any]
    optimizer: Any
    random: np.random.Generator
    settings: "Training"
    updates: int  # of the whole training
    update: int = 0  # those done
    before: float = 0.0
    best: float = 0.0
    best_epoch: int = 0
    kept: dict[str, Any] = field(default_factory=dict)
    history: list[float] = field(default_factory=list)
    micro: int | None = None  # images at a time where a batch does not fit
    stopped: str = ""


def update(lesson: Lesson, images: Any, targets: Any) -> None:
    """Move the weights by one batch; where memory does not suffice, halve what is computed at a time and try again.

    The gradients of the parts add up to those of the batch, so that the batch stays as large as the settings say; batch
    norms see the parts.
    """
    found = accelerator()
    whole = len(images)
    images, targets = (placed(_mine(part, whole), found.device) for part in (images, targets))
    weight = len(images) * found.num_processes / whole  # shares need not be equal, the mean over processes is plain
    while True:
        try:
            _gradients(lesson, images, targets, weight)
            break
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            lesson.optimizer.zero_grad()
        _halve(lesson, len(images))  # outside of the handler, which holds on to the tensors of the failed attempt
    average_gradients(lesson.parameters)
    if lesson.settings.clip_norm is not None:
        found.clip_grad_norm_(lesson.parameters, lesson.settings.clip_norm)
    lesson.optimizer.step()


def least_batch(module: Any) -> int:
    """Return how many images a network needs at a time to learn: two with batch norm."""
    from torch.nn.modules.batchnorm import _BatchNorm

    return 2 if any(isinstance(part, _BatchNorm) for part in module.modules()) else 1


def _gradients(lesson: Lesson, images: Any, targets: Any, weight: float = 1.0) -> None:
    """Compute the gradients of a batch, part by part, times `weight`."""
    import torch

    lesson.optimizer.zero_grad()
    total = len(images)
    count = 1 if lesson.micro is None else min(-(-total // lesson.micro), max(1, total // least_batch(lesson.module)))
    bounds = [total * part // count for part in range(count + 1)]
    for some, wanted in zip(slices(images, bounds), slices(targets, bounds), strict=True):
        with _arithmetic(lesson.settings):
            loss = lesson.objective(lesson.module, lesson.teacher, some, wanted)
        if anywhere(not bool(torch.isfinite(loss.detach()))):
            raise Diverged(f"the loss became {float(loss):g} in epoch {len(lesson.history) + 1}")
        accelerator().backward(loss * (weight * len(some) / total))


def _arithmetic(settings: "Training") -> AbstractContextManager[Any]:
    context: AbstractContextManager[Any] = accelerator().autocast() if settings.mixed_precision else nullcontext()
    return context


def _mine(batch: Any, images: int) -> Any:
    """Return the part of a batch of so many images that this process computes."""
    found = accelerator()
    if found.num_processes == 1:
        return batch
    bounds = [images * process // found.num_processes for process in range(found.num_processes + 1)]
    return slices(batch, bounds)[found.process_index]


def _halve(lesson: Lesson, images: int) -> None:
    """Compute half as many images at a time from now on, or refuse."""
    import torch

    least, now = least_batch(lesson.module), lesson.micro or images
    if now // 2 < least or accelerator().num_processes > 1:
        raise RunError(
            f"not enough memory to train on {now} images at a time",
            remedy="Free memory or take a machine with more, or choose a plan without training or with smaller images.",
        )
    lesson.micro = now // 2
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
