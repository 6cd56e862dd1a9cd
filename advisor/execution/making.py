"""Setting out the steps of a run, and laying out the files that they leave in its folder."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from advisor import runtimes
from advisor.facts import plan_precision
from advisor.measurement.size import artefact
from advisor.progress import Progress
from advisor.runtimes import Runtime
from advisor.runtimes.recipes import max_opset
from advisor.schema import Plan, Preview, PreviewCheck, Workload
from advisor.techniques import preview_plan
from advisor.techniques.subject import Subject

from .data import DataSplit
from .images import ImageReader
from .in_runtime import check_accepts, in_runtime, pair_artefacts
from .journal import Journal
from .order import Made, Order
from .preprocessing import store
from .pruned import WEIGHTS, save_weights
from .refuse import ends_in_onnx
from .split_record import store_split
from .steps import FLOAT_FILE, Carried, Student, Workshop
from .trials import Pair, choose_threads

if TYPE_CHECKING:
    from advisor.loading import LoadedModel

Carry = Callable[[Plan, Subject, Workshop], Carried]


def set_out(
    order: Order, data: DataSplit | None, reader: ImageReader, journal: Journal, workload: Workload, progress: Progress
) -> tuple[Subject, Workshop]:
    """Return what the steps of a plan start from, and what they share."""
    loaded, plan = order.loaded, order.plan
    check_accepts(_measuring(order), plan)
    local = runtimes.get("pytorch" if plan.runtime == "pytorch" and loaded.module is not None else "onnxruntime")
    opset = max_opset(plan, order.device) if local.name == "onnxruntime" else None
    start = start_of(loaded, workload, journal.work)
    return start, Workshop(data, reader, local, opset, journal.work, order.path, order.seed, progress, journal)


def start_of(loaded: "LoadedModel", workload: Workload, folder: Path) -> Subject:
    """Return a model as steps take it: a module, or one ONNX file that holds all of its weights."""
    from advisor.loading.onnx_tensors import one_file

    onnx = one_file(loaded.onnx_path, folder) if loaded.module is None and loaded.onnx_path else None
    return Subject(
        loaded.input_shape,
        folder,
        module=loaded.module,
        onnx=onnx,
        workload=workload,
        preprocessing=loaded.preprocessing,
    )


def lay_out(order: Order, start: Subject, carried: Carried, shop: Workshop, workload: Workload, folder: Path) -> Made:
    """Write baseline, shipped file, stored weights and preprocessing into `folder`, and check against the preview."""
    subject, steps, resolved, searched, student = carried
    loaded, precision = order.loaded, plan_precision(resolved)
    baseline = _baseline(start, subject, shop, folder)
    shipped, float_file = _shipped(start, subject, shop, baseline)
    pair = in_runtime(
        Pair(baseline, shipped, shop.runtime, choose_threads(order.plan)), _measuring(order), shop.progress
    )
    found = list(pair_artefacts(pair, baseline, shipped, precision))
    if float_file not in (baseline, shipped):
        found.append(artefact(float_file, folder, "weights"))
    size = shop.reader.at(subject.input_shape[2:]).size
    found.append(artefact(store(loaded.preprocessing, shop.reader.channels, folder, size), folder, "preprocessing", ""))
    if shop.data is not None:
        found.append(artefact(store_split(shop.data, folder, order.seed), folder, "split", ""))
    if subject.module is not start.module:
        save_weights(subject.module, start.module, folder / WEIGHTS, subject.built)
        found.append(artefact(folder / WEIGHTS, folder, "weights"))
    checks = _checks(resolved, _previewed(order, resolved, workload, student), subject.workload or workload)
    placement = pair.runtime.placement(pair.shipped)
    return Made(pair, tuple(found), float_file, steps, checks, resolved, placement, searched)


def _measuring(order: Order) -> Runtime:
    """Return the runtime that measures here: the plan's, if this machine is the target, else the one that stands in."""
    if order.plan.runtime == "pytorch" and order.loaded.module is not None:
        return runtimes.get("pytorch")
    return runtimes.get(runtimes.measured_in(order.plan, order.device.id))


def _baseline(start: Subject, subject: Subject, shop: Workshop, folder: Path) -> Path:
    """Write the unchanged model in the runtime that measures; what a quantization started from is that already."""
    shop.progress.start("export the original", None)
    target = folder / f"baseline{shop.runtime.suffix}"
    exported = subject.exported if subject.module is start.module else None
    if (known := start.onnx or exported) is not None and known.suffix == target.suffix:
        shutil.copyfile(known, target)
    else:
        shop.runtime.export(start.module, start.input_shape, target, opset=shop.opset)
    shop.progress.finish()
    return target


def _shipped(start: Subject, subject: Subject, shop: Workshop, baseline: Path) -> tuple[Path, Path]:
    """Name the shipped file `model.*`; return it and the float file that other converters start from."""
    target = baseline.with_name(f"model{shop.runtime.suffix}")
    if subject.module is start.module and subject.onnx == start.onnx:
        shutil.copyfile(baseline, target)
        return target, target
    if subject.onnx is None:
        shop.runtime.export(subject.module, subject.input_shape, target, opset=shop.opset)
        return target, target
    _linked(subject.onnx, target)
    if subject.module is start.module or subject.exported is None:  # only quantized: the float file equals the baseline
        return target, baseline
    return target, _linked(subject.exported, baseline.with_name(FLOAT_FILE))


def _linked(source: Path, target: Path) -> Path:
    """Give a file a second name, or copy it where the file system has no such thing."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    return target


def _previewed(order: Order, resolved: Plan, workload: Workload, student: Student | None) -> Workload | Preview:
    """Return what the plan as it was resolved promises.

    The preview of a student is a summary from a table; steps behind it are previewed on the student itself.
    """
    if student is not None and student.steps < len(resolved.steps):
        return preview_plan(resolved.model_copy(update={"steps": resolved.steps[student.steps :]}), student.workload)
    return order.preview if resolved == order.plan else preview_plan(resolved, workload)


def _checks(plan: Plan, previewed: Workload | Preview, module: Workload) -> tuple[PreviewCheck, ...]:
    """Compare counts of the real module with the preview's, that of the plan as it was resolved.

    Steps after the export change no widths, but their preview may fold batch norms; the same folding is applied to the
    profile of the real module, so that the two are comparable.
    """
    exported = tuple(step for step in plan.steps if ends_in_onnx(step))
    real = preview_plan(plan.model_copy(update={"steps": exported}), module)
    note = (
        "profile of the real module, batch norms folded as in the preview" if exported else "profile of the real module"
    )
    pairs = (("macs", previewed.macs, real.macs), ("params", previewed.params, real.params))
    return tuple(PreviewCheck(quantity=q, previewed=p, actual=a, note=note) for q, p, a in pairs)
