"""Carrying out the steps of a plan one after the other: change, recover, export when the form changes."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from advisor.progress import Progress
from advisor.runtimes import Runtime
from advisor.schema import ExecPath, Plan, SearchRecord, Step, StepRecord, Workload
from advisor.techniques.subject import Change, Subject

from .checkpoints import Checkpoint
from .data import DataSplit, evenly
from .hardware import seeded
from .images import ImageReader
from .journal import Journal, Unit, settle, unpack
from .recovery import NORM_BATCH, calibration, fresh, recover
from .refuse import applier
from .teaching import said

FLOAT_FILE = "float.onnx"  # the model after the last torch step, before the first ONNX step


@dataclass(frozen=True)
class Workshop:
    """What the steps share: the plan's images, their reader, the runtime that exports, and the listener.

    Files are made in `folder`.
    """

    data: DataSplit | None
    reader: ImageReader
    runtime: Runtime
    opset: int | None
    folder: Path
    path: ExecPath | None
    seed: int
    progress: Progress
    journal: Journal | None = None  # without one, nothing is kept that a stopped run could go on from


class Student(NamedTuple):
    """The network that took the place of the original: after how many steps, and its profile."""

    steps: int
    workload: Workload


class Carried(NamedTuple):
    """What the steps of a plan left: the model, what was done, and the plan with every outcome filled in."""

    subject: Subject
    steps: tuple[StepRecord, ...]
    plan: Plan
    search: SearchRecord | None = None  # how the settings were found, where they were searched for
    student: Student | None = None  # what the steps behind it were carried out on, where that is not the original


def carry_out(plan: Plan, start: Subject, shop: Workshop) -> Carried:
    """Return the model after all steps, and what was done; `start.module` itself is never changed.

    Rounds that the workshop's journal holds are taken from there.
    """
    subject = replace(start, path=shop.path, seed=shop.seed, **_feeds(start, shop))
    records: list[StepRecord] = []
    resolved: list[Step] = []
    student: Student | None = None
    for number, step in enumerate(plan.steps, 1):
        shop.progress.start(step.label, None)
        done = shop.journal is not None and shop.journal.unit(f"{number}-1") is not None
        if applier(step).STAGE == "onnx" and subject.onnx is None and not done:
            subject = _exported(subject, shop)
        resolved.append(_resolved(step, str(number), subject, shop))
        rounds: list[Unit] = []
        turns = rounds_of(resolved[-1])
        for turn, part in enumerate(turns, 1):
            subject, unit = _round(Task(f"{number}-{turn}", part, turn == len(turns), start, shop), subject)
            shop = replace(shop, reader=shop.reader.at(subject.input_shape[2:]))
            rounds.append(unit)
        records.append(_record(step, resolved[-1], rounds))
        if fresh(step) and subject.workload is not None:
            student = Student(number, subject.workload)
        shop.progress.finish()
    made = plan.model_copy(update={"steps": tuple(resolved)})
    return Carried(subject, tuple(records), made, student=student)


def rounds_of(step: Step) -> tuple[Step, ...]:
    """Return the steps as which a step is done: itself, or its rounds."""
    rounds = getattr(applier(step), "rounds", None)
    return (step,) if rounds is None else tuple(rounds(step)) or (step,)


class Task(NamedTuple):
    """One round of a step; only the last one is converted to another arithmetic."""

    key: str  # number of step and round
    step: Step
    last: bool
    start: Subject
    shop: Workshop


def _round(task: Task, subject: Subject) -> tuple[Subject, Unit]:
    """Take a round from the journal, or carry it out."""
    journal = task.shop.journal
    if journal is None or (unit := journal.unit(task.key)) is None:
        return _carried(task, subject)
    return _restored(task, unit, subject, journal), unit


def _carried(task: Task, subject: Subject) -> tuple[Subject, Unit]:
    """Carry one round out and store what it left."""
    began, shop, before = time.perf_counter(), task.shop, subject
    step = _resolved(task.step, task.key, subject, shop)
    change, subject, shop = _changed(step, subject, shop)
    if change.module is not None:
        checkpoint = None if shop.journal is None else shop.journal.checkpoint(task.key)
        change, subject = _trained(step, change, task.start, subject, shop, checkpoint)
    if task.last and hasattr(applier(step), "conversion"):
        change, subject = _converted(applier(step).conversion(step), change, subject, shop)
    if change.onnx is not None:
        subject = replace(subject, onnx=change.onnx)
    unit = Unit(
        step=step,
        seconds=round(time.perf_counter() - began, 3),
        done=change.done,
        details=_plain(change.details),
    )
    return (subject, unit) if shop.journal is None else _stored(task, unit, before, subject, shop.journal)


def _stored(task: Task, unit: Unit, before: Subject, subject: Subject, journal: Journal) -> tuple[Subject, Unit]:
    """Write a finished round into the journal, its files under names that no later round takes."""
    files = {}
    if subject.onnx is not None and subject.onnx != before.onnx:
        files["onnx"] = settle(subject.onnx, f"{task.key}{subject.onnx.suffix}")
        subject = replace(subject, onnx=files["onnx"])
    if subject.exported is not None and subject.exported.name == FLOAT_FILE:
        files["exported"] = settle(subject.exported, f"{task.key}-float{subject.exported.suffix}")
        subject = replace(subject, exported=files["exported"])
    module = subject.module if subject.module is not before.module else None
    journal.finish(task.key, unit, module, files)
    return subject, unit


def _restored(task: Task, unit: Unit, subject: Subject, journal: Journal) -> Subject:
    """Bring the model to where a finished round left it: the step gives the structure, its file the tensors."""
    if (state := journal.file(unit, "state")) is not None:
        change, subject, _ = _changed(unit.step, subject, task.shop)
        if hasattr(applier(unit.step), "finish"):
            applier(unit.step).finish(unit.step, change.module)
        unpack(change.module, state)
        module = change.module.eval()
        subject = replace(subject, module=module, workload=_profile(module, subject))
    exported = journal.file(unit, "exported") or subject.exported
    return replace(subject, onnx=journal.file(unit, "onnx") or subject.onnx, exported=exported)


def _resolved(step: Step, key: str, subject: Subject, shop: Workshop) -> Step:
    """Return the step with what weights and data decide filled in; it is decided once, also in a resumed run."""
    module, journal = applier(step), shop.journal
    if not hasattr(module, "resolve"):
        return step
    if journal is not None and (known := journal.resolved(key)) is not None:
        return known
    with seeded(shop.seed):
        found: Step = module.resolve(step, subject)
    if journal is not None:
        journal.resolve(key, found)
    return found


def _changed(step: Step, subject: Subject, shop: Workshop) -> tuple[Change, Subject, Workshop]:
    """Let the technique make its change; images come in its size from then on."""
    with seeded(shop.seed):
        change: Change = applier(step).apply(step, subject)
    if change.built is not None:
        subject = replace(subject, built=change.built)
    if change.input_shape is not None:
        subject = replace(subject, input_shape=change.input_shape)
        shop = replace(shop, reader=shop.reader.at(change.input_shape[2:]))
        subject = replace(subject, **_feeds(subject, shop))
    return change, subject, shop


def _record(step: Step, resolved: Step, rounds: list[Unit]) -> StepRecord:
    """Write a step down, with the details of each of its rounds."""
    settings, found = (one.model_dump(mode="json", exclude={"name"}) for one in (step, resolved))
    one = rounds[0]
    several = len(rounds) > 1
    return StepRecord(
        technique=step.technique,
        settings=settings,
        seconds=round(sum(each.seconds for each in rounds), 3),
        done=f"{len(rounds)} rounds: " + "; then ".join(each.done for each in rounds) if several else one.done,
        details={"rounds": [{"done": r.done, **r.details} for r in rounds]} if several else one.details,
        resolved=None if found == settings else found,
    )


def _plain(details: dict[str, Any]) -> dict[str, Any]:
    """Return the details as JSON holds them, so that a resumed run records the same."""
    plain: dict[str, Any] = json.loads(json.dumps(details))
    return plain


def _trained(
    step: Step, change: Change, start: Subject, subject: Subject, shop: Workshop, checkpoint: Checkpoint | None
) -> tuple[Change, Subject]:
    """Recover what the step cost, take its scaffolding out, and count the network anew."""
    recovered = recover(step, change.module, start, shop, checkpoint)
    module = applier(step)
    if hasattr(module, "finish"):
        module.finish(step, change.module)
    if hasattr(module, "after_training") and shop.data is not None:
        module.after_training(step, change.module, calibration(shop, shop.data))
    subject = replace(subject, module=change.module, workload=_profile(change.module, subject))
    return replace(change, done=change.done + said(recovered), details={**change.details, **recovered}), subject


def _converted(step: Step, before: Change, subject: Subject, shop: Workshop) -> tuple[Change, Subject]:
    """Export the network and make an ONNX file of another arithmetic of it."""
    subject = _exported(subject, shop)
    with seeded(shop.seed):
        change = applier(step).apply(step, subject)
    details = {**before.details, **change.details}
    return replace(change, done=f"{before.done}; {change.done}", details=details), subject


def export_float(subject: Subject, shop: Workshop) -> Path:
    """Write the module as it is now as the float file that quantization starts from."""
    return shop.runtime.export(subject.module, subject.input_shape, shop.folder / FLOAT_FILE, opset=shop.opset)


def _exported(subject: Subject, shop: Workshop) -> Subject:
    path = export_float(subject, shop)
    return replace(subject, onnx=path, exported=path)


def _profile(module: Any, subject: Subject) -> Any:
    from advisor.profiling import profile_module

    return profile_module(module, subject.input_shape, name="compressed", source="")


def _feeds(start: Subject, shop: Workshop) -> dict[str, Any]:
    data, reader, batch = shop.data, shop.reader, start.input_shape[0]
    if data is None:
        return {}
    feeds: dict[str, Callable[..., Iterator[Any]]] = {}
    if data.calibration:

        def calibration_batches(count: int) -> Iterator[Any]:
            images = evenly(data.calibration, count)
            whole = images[: len(images) // batch * batch] or images * batch  # static batch: only full ones run
            return (part for part, _ in reader.batches(whole[: max(batch, len(images))], batch) if len(part) == batch)

        feeds["calibration"] = calibration_batches
    if data.train:
        feeds["labelled"] = lambda: reader.batches(evenly(data.train, len(data.train)), NORM_BATCH)
    if held := data.selection:
        feeds["selection"] = lambda: reader.batches(held, NORM_BATCH)
    return feeds
