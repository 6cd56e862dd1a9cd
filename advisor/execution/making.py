"""Running the steps and laying out the files of a run directory."""

from pathlib import Path

from advisor import runtimes
from advisor.facts import plan_precision
from advisor.measurement.size import artefact
from advisor.progress import Progress
from advisor.runtimes.recipes import max_opset
from advisor.schema import PreviewCheck, Workload
from advisor.techniques import preview_plan
from advisor.techniques.subject import Subject

from .data import DataSplit
from .images import ImageReader
from .order import Made, Order
from .preprocessing import store
from .pruned import WEIGHTS, save_weights
from .refuse import ends_in_onnx
from .steps import FLOAT_FILE, Workshop, carry_out
from .trials import Pair, choose_threads


def make(
    order: Order, data: DataSplit | None, reader: ImageReader, folder: Path, workload: Workload, progress: Progress
) -> Made:
    """Carry the plan out in `folder`: baseline, steps, shipped file, stored weights, checks against the preview."""
    loaded, plan = order.loaded, order.plan
    local = runtimes.get("pytorch" if plan.runtime == "pytorch" and loaded.module is not None else "onnxruntime")
    threads = choose_threads(plan)
    opset = max_opset(plan, order.device) if local.name == "onnxruntime" else None
    shop = Workshop(data, reader, local, opset, folder, order.path, order.seed, progress)
    onnx = loaded.onnx_path if loaded.module is None else None
    start = Subject(loaded.input_shape, folder, module=loaded.module, onnx=onnx, workload=workload)
    baseline = _baseline(start, shop)
    subject, steps = carry_out(plan, start, shop)
    shipped, float_file = _shipped(start, subject, shop, baseline)
    found = [artefact(baseline, folder, "baseline"), artefact(shipped, folder, "shipped", plan_precision(plan))]
    if float_file not in (baseline, shipped):
        found.append(artefact(float_file, folder, "weights"))
    size = reader.at(subject.input_shape[2:]).size
    found.append(artefact(store(loaded.preprocessing, reader.channels, folder, size), folder, "preprocessing", ""))
    if subject.module is not start.module:
        save_weights(subject.module, start.module, folder / WEIGHTS, subject.built)
        found.append(artefact(folder / WEIGHTS, folder, "weights"))
    checks = _checks(order, subject.workload or workload)
    return Made(Pair(baseline, shipped, local, threads), tuple(found), float_file, steps, checks)


def _baseline(start: Subject, shop: Workshop) -> Path:
    """Write the unchanged model in the runtime that measures."""
    shop.progress.start("export the original", None)
    target = shop.folder / f"baseline{shop.runtime.suffix}"
    if start.onnx is not None:
        target.write_bytes(start.onnx.read_bytes())
    else:
        shop.runtime.export(start.module, start.input_shape, target, opset=shop.opset)
    shop.progress.finish()
    return target


def _shipped(start: Subject, subject: Subject, shop: Workshop, baseline: Path) -> tuple[Path, Path]:
    """Name the shipped file `model.*`; return it and the float file that other converters start from."""
    target, between = shop.folder / f"model{shop.runtime.suffix}", shop.folder / FLOAT_FILE
    if subject is start or (subject.module is start.module and subject.onnx == start.onnx):
        target.write_bytes(baseline.read_bytes())
        return target, target
    if subject.onnx is None:
        shop.runtime.export(subject.module, subject.input_shape, target, opset=shop.opset)
        return target, target
    subject.onnx.rename(target)
    if subject.module is start.module:  # only quantized: the float file equals the baseline
        between.unlink(missing_ok=True)
        return target, baseline
    return target, between


def _checks(order: Order, module: Workload) -> tuple[PreviewCheck, ...]:
    """Compare counts of the real module with the preview's.

    Steps after the export change no widths, but their preview may fold batch norms; the same folding is applied to the
    profile of the real module, so that the two are comparable.
    """
    exported = tuple(step for step in order.plan.steps if ends_in_onnx(step))
    real = preview_plan(order.plan.model_copy(update={"steps": exported}), module)
    note = (
        "profile of the real module, batch norms folded as in the preview" if exported else "profile of the real module"
    )
    pairs = (("macs", order.preview.macs, real.macs), ("params", order.preview.params, real.params))
    return tuple(PreviewCheck(quantity=q, previewed=p, actual=a, note=note) for q, p, a in pairs)
