"""Giving back what a step cost: batch norms estimated anew, then training as the technique says."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from advisor.schema import Step
from advisor.techniques.batch_norm import reestimate
from advisor.techniques.subject import Subject

from .checkpoints import Checkpoint
from .data import DataSplit, evenly
from .hardware import accelerator, seeded, trained_on
from .images import ImageReader
from .items import Item
from .refuse import applier
from .tasks import Task, module_score
from .teaching import asked, known, validation
from .training import Trained, Training, fine_tune, parts

if TYPE_CHECKING:
    from .steps import Workshop

NORM_IMAGES = 256  # images that re-estimate batch norms after a cut
NORM_BATCH = 32
EXAMPLE = 8  # images that an objective is shown to find shapes with
RATE = 0.01  # learning rate of steps that bring none of their own


def recover(
    step: Step, module: Any, start: Subject, shop: "Workshop", checkpoint: Checkpoint | None = None
) -> dict[str, Any]:
    """Re-estimate batch norms, then train `module` in place for the step's epochs; return what was done, as details."""
    details: dict[str, Any] = {}
    if shop.data is None:
        return details
    if not fresh(step):  # the norms of a new network learn with the rest, or fit it already
        norms = reestimate(module, calibration(shop, shop.data))
        details |= {"batch_norms_reestimated": norms} if norms else {}
    if int(getattr(step, "epochs", 0)) and shop.data.train:
        details |= _train(step, module, start, shop.data, shop, checkpoint)
    return details


def calibration(shop: "Workshop", data: DataSplit) -> Iterator[Any]:
    """Yield calibration images, those of the training where there are no others."""
    images = evenly(data.calibration or data.train, NORM_IMAGES)
    return (batch for batch, _ in shop.reader.batches(images, NORM_BATCH))


def taught(step: Step) -> bool:
    """Whether the step's network starts from nothing and learns from the original."""
    return getattr(applier(step), "TAUGHT", False)


def fresh(step: Step) -> bool:
    """Whether the step's network takes the place of the original instead of coming from it."""
    return taught(step) or getattr(applier(step), "FRESH", False)


def settings_of(step: Step, seed: int) -> Training:
    """Return the settings of a recovery, or those by which the technique trains."""
    settings = Training(int(getattr(step, "epochs", 0)), learning_rate=getattr(step, "learning_rate", RATE), seed=seed)
    own = getattr(applier(step), "training", None)
    return settings if own is None else replace(settings, **own(step))


def divided(data: DataSplit, settings: Training) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Return the images that choose the best epoch and those that teach."""
    return (data.selection, data.train) if data.selection else parts(data.train, settings)


def _train(
    step: Step, module: Any, start: Subject, data: DataSplit, shop: "Workshop", checkpoint: Checkpoint | None
) -> dict[str, Any]:
    import torch

    from advisor.techniques.distil.objectives.recovery import recovery_objective

    settings, task = settings_of(step, shop.seed), data.task
    held, train = divided(data, settings)
    own = getattr(applier(step), "objective", None)
    teacher = _teacher(start, shop, held, task)
    details: dict[str, Any] = {}
    if taught(step):
        details |= known(teacher.score, _score(task, module, held, shop.reader), len(held), data, task)
    elif own is None:
        details |= asked(teacher.score, _score(task, module, held, shop.reader), len(held), data, task)
    images = torch.from_numpy(shop.reader.batch(train[:EXAMPLE]))
    with seeded(settings.seed):
        if own is not None:
            objective = own(step, module, teacher.network, images, task.loss)
        else:
            network = None if "taught_by" in details else teacher.network
            objective = recovery_objective(module, network, images, task.loss, **_named(step))
    shop.progress.finish()
    shop.progress.start(f"{'teach' if taught(step) else 'fine-tune'} {settings.epochs} epochs", settings.epochs)
    try:
        trained = fine_tune(
            module,
            train,
            shop.reader,
            settings,
            held=held,
            task=task,
            teacher=teacher.network,
            objective=objective,
            tick=shop.progress.advance,
            checkpoint=checkpoint,
        )
    finally:
        objective.close()
    return details | _told(trained, settings, task)


def _named(step: Step) -> dict[str, str]:
    name = getattr(step, "taught_by", None)
    return {} if name is None else {"name": name}


def _told(trained: Trained, settings: Training, task: Task) -> dict[str, Any]:
    told: dict[str, Any] = {
        "epochs": trained.epochs,
        "best_epoch": trained.best_epoch,
        f"{validation(task)}_before": round(trained.before, 2),
        f"{validation(task)}_after": round(trained.best, 2),
        "trained_on": trained_on(),
    }
    if trained.micro_batch is not None:
        told["micro_batch"] = trained.micro_batch
        told["batch"] = settings.batch
    if trained.stopped:
        told["stopped"] = trained.stopped
        told["learning_rate"] = settings.learning_rate
    return told


class Teacher(NamedTuple):
    """The original as a teacher, and how good it is on the images that choose epochs."""

    network: Any
    score: float


def _teacher(start: Subject, shop: "Workshop", held: tuple[Item, ...], task: Task) -> Teacher:
    """Return a copy of the original that sees images of its own size where the student reads smaller ones."""
    network = copy.deepcopy(start.module).eval().requires_grad_(False)
    given, wanted = tuple(shop.reader.size), tuple(start.input_shape[2:])
    score = _score(task, network, held, shop.reader.at(wanted))
    if given != wanted:
        network.register_forward_pre_hook(lambda _, images: (_resized(images[0], wanted),))
    return Teacher(network, score)


def _score(task: Task, network: Any, held: tuple[Item, ...], reader: ImageReader) -> float:
    """Judge a network where trainings run, and bring it back to the CPU."""
    network.to(accelerator().device)
    try:
        return module_score(task, network, held, reader)
    finally:
        network.to("cpu")


def _resized(images: Any, size: tuple[int, ...]) -> Any:
    """Return the images at this size; those that have it already pass."""
    import torch

    if tuple(images.shape[2:]) == size:
        return images
    return torch.nn.functional.interpolate(images, size=size, mode="bilinear")
