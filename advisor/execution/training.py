"""Training a network on labelled images, with the dense model as optional teacher; never sees the test.

Every epoch can be checkpointed, so that a training that was stopped goes on and ends in the same weights. What a batch
costs in memory is divided where there is not enough of it; a loss that is no number ends the training with the best
weights so far.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from advisor.uncollected import collecting

from .batches import Images, shuffled
from .checkpoints import Checkpoint, at_epoch, go_back, keep
from .data import draw
from .hardware import accelerator, same_everywhere, seeded
from .images import ImageReader
from .items import Item
from .schedules import Schedule, factor
from .tasks import Classification, Task, module_score
from .updates import Diverged, Lesson, least_batch, update

Tick = Callable[[int, str], None]


@dataclass(frozen=True)
class Training:
    """Settings of a fine-tuning."""

    epochs: int
    optimizer: Literal["sgd", "adam", "adamw"] = "sgd"
    learning_rate: float = 0.01
    weight_decay: float = 1e-4
    batch: int = 64
    patience: int | None = None  # epochs without a better validation before stopping; a falling rate pays at the end
    validation_share: float = 0.1  # of the training images, where none were held back for it
    shift: int = 8  # augmentation: moves of up to a `shift`-th of the image (0: none); no flips, which change labels;
    # none at all where targets belong to places in the image
    seed: int = 0
    schedule: Schedule = "cosine"
    warmup_epochs: float = 0.0  # during which the learning rate rises linearly
    freeze_norms_after: int | None = None  # epochs; batch norms keep their statistics from then on
    clip_norm: float | None = None  # largest norm of all gradients together
    mixed_precision: bool = True  # 16-bit arithmetic where the device has it


@dataclass(frozen=True)
class Trained:
    """What a training did: the task's figure on the held-back images before and after each epoch, more is better."""

    epochs: int
    before: float
    history: tuple[float, ...]
    best_epoch: int  # 0: no epoch beat the start
    stopped: str = ""  # why it ended before its time, if something went wrong
    micro_batch: int | None = None  # images at a time where a batch did not fit into memory

    @property
    def best(self) -> float:
        """Best validation score, of the weights that were kept."""
        return max(self.before, *self.history) if self.history else self.before


def fine_tune(  # noqa: PLR0913  (all but four have a default)
    module: Any,
    items: tuple[Item, ...],
    reader: ImageReader,
    settings: Training,
    *,
    held: tuple[Item, ...] = (),
    teacher: Any = None,
    objective: Any = None,
    task: Task | None = None,
    tick: Tick | None = None,
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """Train `module` in place and leave the weights of the best epoch in it, on the CPU and in evaluation mode.

    `held` are the images that choose the best epoch; without them a part of `items` is. `objective` is a module as
    `techniques.subject` describes it; without one the labels teach. `task` judges the module, classification by
    default. With a `checkpoint`, every epoch is stored there, and a training that finds one goes on from it.
    """
    collecting()
    task = task or Classification()
    if not held:
        held, items = parts(items, settings)
    device = accelerator().device
    objective = objective if objective is not None else _labels(task)
    with seeded(settings.seed):
        module.to(device)
        objective.to(device)
        try:
            lesson = _lesson(module, objective, None if teacher is None else teacher.to(device), settings, len(items))
            return _train(lesson, Images(items, held, reader, task), tick=tick, checkpoint=checkpoint)
        finally:
            module.to("cpu").eval()
            accelerator().free_memory()


def parts(items: tuple[Item, ...], settings: Training) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Divide the training images into those that choose the best epoch and those that teach."""
    held, train = draw(items, settings.validation_share, None, settings.seed + 2)
    return held or items, train


def _labels(task: Task) -> Any:
    from advisor.techniques.distil.objectives.mixed import Labels

    return Labels(task.loss)


def _lesson(module: Any, objective: Any, teacher: Any, settings: Training, images: int) -> Lesson:
    parameters = [p for p in (*module.parameters(), *objective.parameters()) if p.requires_grad]
    return Lesson(
        module,
        objective,
        teacher,
        parameters,
        accelerator().prepare_optimizer(_optimizer(parameters, settings)),
        np.random.default_rng(settings.seed),
        settings,
        updates=settings.epochs * math.ceil(images / settings.batch),
    )


def _train(lesson: Lesson, images: Images, *, tick: Tick | None, checkpoint: Checkpoint | None) -> Trained:
    stored = None if checkpoint is None else at_epoch(checkpoint)
    if stored is not None:
        go_back(lesson, stored)
        if tick is not None:
            tick(len(lesson.history), "resumed")
    else:
        lesson.before = lesson.best = images.judge(lesson.module)
        lesson.kept = copy.deepcopy(lesson.module.state_dict())
    while not _over(lesson):
        try:
            _epoch(lesson, images)
        except Diverged as error:
            lesson.stopped = str(error)
            break
        same_everywhere(lesson.module)
        _judged(lesson, images.judge(lesson.module))
        if tick is not None:
            tick(1, f"validation {images.task.metric} {lesson.history[-1]:.1f} {images.task.unit}")
        if checkpoint is not None:
            keep(lesson, checkpoint)
    lesson.module.load_state_dict(lesson.kept)
    history = tuple(lesson.history)
    return Trained(len(history), lesson.before, history, lesson.best_epoch, lesson.stopped, lesson.micro)


def _over(lesson: Lesson) -> bool:
    epochs = len(lesson.history)
    settings = lesson.settings
    idle = epochs - lesson.best_epoch
    return epochs >= settings.epochs or (settings.patience is not None and epochs > 0 and idle >= settings.patience)


def _judged(lesson: Lesson, score: float) -> None:
    """Note the score of an epoch, and the weights if they are the best so far."""
    lesson.history.append(score)
    if score > lesson.best:
        lesson.best, lesson.best_epoch = score, len(lesson.history)
        lesson.kept = copy.deepcopy(lesson.module.state_dict())


def _epoch(lesson: Lesson, images: Images) -> None:
    settings, module = lesson.settings, lesson.module
    module.train()
    lesson.objective.train()
    if settings.freeze_norms_after is not None and len(lesson.history) >= settings.freeze_norms_after:
        _freeze_norms(module)
    warmup = round(settings.warmup_epochs * lesson.updates / max(1, settings.epochs))
    least = least_batch(module) * accelerator().num_processes
    shift = 0 if images.task.located else settings.shift
    for batch, targets in shuffled(images, settings.batch, shift, lesson.random, max(2, least)):
        rate = settings.learning_rate * factor(settings.schedule, lesson.update, lesson.updates, warmup)
        for group in lesson.optimizer.param_groups:
            group["lr"] = rate
        update(lesson, batch, targets)
        lesson.update += 1


def _freeze_norms(module: Any) -> None:
    from torch.nn.modules.batchnorm import _BatchNorm

    for part in module.modules():
        if isinstance(part, _BatchNorm):
            part.eval()


def validation_top1(module: Any, items: tuple[Item, ...], reader: ImageReader) -> float:
    """Return top-1 in percent of a torch module in evaluation mode."""
    return module_score(Classification(), module, items, reader)


def _optimizer(parameters: list[Any], settings: Training) -> Any:
    import torch

    rate, decay = settings.learning_rate, settings.weight_decay
    if settings.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=rate, momentum=0.9, nesterov=True, weight_decay=decay)
    kind = torch.optim.Adam if settings.optimizer == "adam" else torch.optim.AdamW
    return kind(parameters, lr=rate, weight_decay=decay)
