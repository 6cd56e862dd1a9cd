"""Carrying out the steps of a plan one after the other: change, recover, export when the form changes."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from advisor.progress import Progress
from advisor.runtimes import Runtime
from advisor.schema import ExecPath, Plan, Step, StepRecord
from advisor.techniques.subject import Change, Subject

from .batch_norm import reestimate
from .data import DataSplit, evenly
from .images import ImageReader
from .refuse import applier
from .teaching import known_top1, said
from .training import Training, fine_tune, parts

FLOAT_FILE = "float.onnx"  # the model after the last torch step, before the first ONNX step
NORM_IMAGES = 256  # images that re-estimate batch norms after a cut
NORM_BATCH = 32
RATE = 0.01  # learning rate of steps that bring none of their own


@dataclass(frozen=True)
class Workshop:
    """What the steps share: the plan's images, their reader, the runtime that exports, and the listener."""

    data: DataSplit | None
    reader: ImageReader
    runtime: Runtime
    opset: int | None
    folder: Path
    path: ExecPath | None
    seed: int
    progress: Progress


def carry_out(plan: Plan, start: Subject, shop: Workshop) -> tuple[Subject, tuple[StepRecord, ...]]:
    """Return the model after all steps, and what was done; `start.module` itself is never changed."""
    subject, records = replace(start, path=shop.path, seed=shop.seed, **_feeds(start, shop)), []
    for step in plan.steps:
        shop.progress.start(step.label, None)
        module = applier(step)
        if module.STAGE == "onnx" and subject.onnx is None:
            subject = replace(subject, onnx=export_float(subject, shop))
        began = time.perf_counter()
        change = module.apply(step, subject)
        if change.built is not None:
            subject = replace(subject, built=change.built)
        if change.input_shape is not None:
            subject = replace(subject, input_shape=change.input_shape)
            shop = replace(shop, reader=shop.reader.at(subject.input_shape[2:]))
            subject = replace(subject, **_feeds(subject, shop))
        if change.module is not None:
            change, subject = _trained(step, change, start, subject, shop)
        if hasattr(module, "conversion"):
            change, subject = _converted(module.conversion(step), change, subject, shop)
        if change.onnx is not None:
            subject = replace(subject, onnx=change.onnx)
        records.append(
            StepRecord(
                technique=step.technique,
                settings=step.model_dump(mode="json", exclude={"name"}),
                seconds=round(time.perf_counter() - began, 3),
                done=change.done,
                details=change.details,
            )
        )
        shop.progress.finish()
    return subject, tuple(records)


def _trained(step: Step, change: Change, start: Subject, subject: Subject, shop: Workshop) -> tuple[Change, Subject]:
    """Recover what the step cost, take its scaffolding out, and count the network anew."""
    recovered = _recover(step, change.module, start, shop)
    module = applier(step)
    if hasattr(module, "finish"):
        module.finish(step, change.module)
    subject = replace(subject, module=change.module, workload=_profile(change.module, subject))
    return replace(change, done=change.done + said(recovered), details={**change.details, **recovered}), subject


def _converted(step: Step, before: Change, subject: Subject, shop: Workshop) -> tuple[Change, Subject]:
    """Export the network and make an ONNX file of another arithmetic of it."""
    subject = replace(subject, onnx=export_float(subject, shop))
    change = applier(step).apply(step, subject)
    details = {**before.details, **change.details}
    return replace(change, done=f"{before.done}; {change.done}", details=details), subject


def export_float(subject: Subject, shop: Workshop) -> Path:
    """Write the module as it is now as the float file that quantization starts from."""
    return shop.runtime.export(subject.module, subject.input_shape, shop.folder / FLOAT_FILE, opset=shop.opset)


def _resized(teacher: Any, given: tuple[int, int], wanted: tuple[int, ...]) -> Any:
    """Let the teacher see images of its own size where the student reads smaller ones."""
    import torch

    if tuple(given) == tuple(wanted):
        return teacher
    return lambda images: teacher(torch.nn.functional.interpolate(images, size=wanted, mode="bilinear"))


def _recover(step: Step, module: Any, start: Subject, shop: Workshop) -> dict[str, Any]:
    """Re-estimate batch norms, then train for the step's epochs with the dense model as teacher."""
    details: dict[str, Any] = {}
    if shop.data is None:
        return details
    if not _taught(step):  # a student is untrained: its norms learn with the rest
        images = evenly(shop.data.calibration or shop.data.train, NORM_IMAGES)
        norms = reestimate(module, (batch for batch, _ in shop.reader.batches(images, NORM_BATCH)))
        details |= {"batch_norms_reestimated": norms} if norms else {}
    epochs = int(getattr(step, "epochs", 0))
    if epochs and shop.data.train:
        details |= _train(step, module, start, shop.data, shop)
    return details


def _train(step: Step, module: Any, start: Subject, data: DataSplit, shop: Workshop) -> dict[str, Any]:
    settings, teacher, details = _settings(step, shop.seed), start.module.eval(), {}
    if _taught(step):
        held, _ = parts(data.train, settings)
        reader = shop.reader.at(start.input_shape[2:])
        details["teacher_validation_top1"] = known_top1(teacher, held, reader, len(data.classes))
    shop.progress.finish()
    shop.progress.start(f"{'teach' if details else 'fine-tune'} {settings.epochs} epochs", settings.epochs)
    trained = fine_tune(
        module,
        data.train,
        shop.reader,
        settings,
        teacher=_resized(teacher, shop.reader.size, start.input_shape[2:]),
        tick=shop.progress.advance,
    )
    return details | {
        "epochs": trained.epochs,
        "best_epoch": trained.best_epoch,
        "validation_top1_before": round(trained.before, 2),
        "validation_top1_after": round(trained.best, 2),
    }


def _taught(step: Step) -> bool:
    """Whether the step's network starts from nothing and learns from the original."""
    return getattr(applier(step), "TAUGHT", False)


def _settings(step: Step, seed: int) -> Training:
    """Return the settings of a recovery, or those by which the technique trains."""
    settings = Training(int(getattr(step, "epochs", 0)), learning_rate=getattr(step, "learning_rate", RATE), seed=seed)
    own = getattr(applier(step), "training", None)
    return settings if own is None else replace(settings, **own(step))


def _profile(module: Any, subject: Subject) -> Any:
    from advisor.profiling import profile_module

    return profile_module(module, subject.input_shape, name="compressed", source="")


def _feeds(start: Subject, shop: Workshop) -> dict[str, Any]:
    data, reader, batch = shop.data, shop.reader, start.input_shape[0]
    if data is None:
        return {}
    feeds: dict[str, Callable[..., Iterator[Any]]] = {}
    if data.calibration:

        def calibration(count: int) -> Iterator[Any]:
            images = evenly(data.calibration, count)
            whole = images[: len(images) // batch * batch] or images * batch  # static batch: only full ones run
            return (part for part, _ in reader.batches(whole[: max(batch, len(images))], batch) if len(part) == batch)

        feeds["calibration"] = calibration
    if data.train:
        feeds["labelled"] = lambda: reader.batches(evenly(data.train, len(data.train)), NORM_BATCH)
    return feeds
