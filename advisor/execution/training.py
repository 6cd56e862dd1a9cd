"""Training a small network on labelled images, with the dense model as optional teacher; never sees the test."""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .data import draw
from .folders import Item
from .images import ImageReader


@dataclass(frozen=True)
class Training:
    """Settings of a fine-tuning. `distillation` is the weight of the teacher's term, 0 without a teacher."""

    epochs: int
    optimizer: Literal["sgd", "adam", "adamw"] = "sgd"
    learning_rate: float = 0.01
    weight_decay: float = 1e-4
    batch: int = 64
    distillation: float = 0.5
    temperature: float = 3.0
    patience: int = 5  # epochs without a better validation before stopping
    validation_share: float = 0.1  # of the training images
    shift: int = 8  # augmentation: moves of up to a `shift`-th of the image; no flips, which change some labels
    seed: int = 0


@dataclass(frozen=True)
class Trained:
    """What a training did: top-1 on the validation part, in percent, before and after each epoch."""

    epochs: int
    before: float
    history: tuple[float, ...]
    best_epoch: int  # 0: no epoch beat the start

    @property
    def best(self) -> float:
        """Best validation top-1, of the weights that were kept."""
        return max(self.before, *self.history) if self.history else self.before


def fine_tune(
    module: Any,
    items: tuple[Item, ...],
    reader: ImageReader,
    settings: Training,
    *,
    teacher: Any = None,
    tick: Callable[[int, str], None] | None = None,
) -> Trained:
    """Train `module` in place and leave the weights of the best epoch in it, in evaluation mode."""
    import torch

    held, train = parts(items, settings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        return _train(module, train, held, reader, settings, teacher=teacher, tick=tick)


def parts(items: tuple[Item, ...], settings: Training) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Divide the training images into those that choose the best epoch and those that teach."""
    held, train = draw(items, settings.validation_share, None, settings.seed + 2)
    return held or items, train


def _train(
    module: Any,
    train: tuple[Item, ...],
    held: tuple[Item, ...],
    reader: ImageReader,
    settings: Training,
    *,
    teacher: Any,
    tick: Callable[[int, str], None] | None,
) -> Trained:
    random = np.random.default_rng(settings.seed)
    steps = settings.epochs * math.ceil(len(train) / settings.batch)
    optimizer, schedule = _optimizer(module, settings, steps)
    before = best = validation_top1(module, held, reader)
    kept, best_epoch, history = copy.deepcopy(module.state_dict()), 0, []
    for epoch in range(1, settings.epochs + 1):
        module.train()
        for images, labels in _shuffled(train, reader, settings, random):
            optimizer.zero_grad()
            _loss(module, teacher, images, labels, settings).backward()
            optimizer.step()
            schedule.step()
        history.append(validation_top1(module, held, reader))
        if tick is not None:
            tick(1, f"validation top-1 {history[-1]:.1f} %")
        if history[-1] > best:
            best, best_epoch, kept = history[-1], epoch, copy.deepcopy(module.state_dict())
        elif epoch - best_epoch >= settings.patience:
            break
    module.load_state_dict(kept)
    module.eval()
    return Trained(len(history), before, tuple(history), best_epoch)


def validation_top1(module: Any, items: tuple[Item, ...], reader: ImageReader, batch: int = 128) -> float:
    """Return top-1 in percent of a torch module in evaluation mode."""
    import torch

    module.eval()
    hits = 0
    with torch.inference_mode():
        for images, labels in reader.batches(items, batch):
            hits += int((module(torch.from_numpy(images)).argmax(1).numpy() == labels).sum())
    return 100 * hits / len(items)


def _optimizer(module: Any, settings: Training, steps: int) -> tuple[Any, Any]:
    import torch

    parameters = [p for p in module.parameters() if p.requires_grad]
    rate, decay = settings.learning_rate, settings.weight_decay
    optimizer: Any
    if settings.optimizer == "sgd":
        optimizer = torch.optim.SGD(parameters, lr=rate, momentum=0.9, nesterov=True, weight_decay=decay)
    else:
        kind = torch.optim.Adam if settings.optimizer == "adam" else torch.optim.AdamW
        optimizer = kind(parameters, lr=rate, weight_decay=decay)
    return optimizer, torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=max(1, steps))


def _loss(module: Any, teacher: Any, images: Any, labels: Any, settings: Training) -> Any:
    """Cross-entropy, mixed with the divergence from the teacher's softened outputs (Hinton et al. 2015)."""
    import torch
    from torch.nn import functional

    output = module(images)
    hard = functional.cross_entropy(output, labels)
    if teacher is None or settings.distillation == 0:
        return hard
    with torch.no_grad():
        target = functional.log_softmax(teacher(images) / settings.temperature, dim=1)
    student = functional.log_softmax(output / settings.temperature, dim=1)
    soft = functional.kl_div(student, target, reduction="batchmean", log_target=True) * settings.temperature**2
    return (1 - settings.distillation) * hard + settings.distillation * soft


def _shuffled(items: tuple[Item, ...], reader: ImageReader, settings: Training, random: np.random.Generator) -> Any:
    """Yield shifted training batches in random order; a last batch of one is left out: batch norm needs two."""
    import torch

    order = random.permutation(len(items))
    for start in range(0, len(items), settings.batch):
        chosen = [items[i] for i in order[start : start + settings.batch]]
        if len(chosen) < 2:
            continue
        images = _shifted(reader.batch(chosen), settings.shift, random)
        yield torch.from_numpy(images), torch.tensor([item.label for item in chosen])


def _shifted(images: Any, shift: int, random: np.random.Generator) -> Any:
    """Move the batch by a few pixels, repeating the border."""
    reach = max(images.shape[2:]) // shift
    if reach == 0:
        return images
    padded = np.pad(images, ((0, 0), (0, 0), (reach, reach), (reach, reach)), mode="edge")
    top, left = random.integers(0, 2 * reach + 1, size=2)
    height, width = images.shape[2:]
    return np.ascontiguousarray(padded[:, :, top : top + height, left : left + width])
