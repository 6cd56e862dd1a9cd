"""Writing down a run: environment, recipe, verdicts, notes."""

from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from advisor.measurement.machine import environment
from advisor.measurement.size import artefact
from advisor.runtimes.recipes import recipe
from advisor.schema import RunRecord

from .data import DataSplit
from .notes import notes_on
from .order import Made, Order
from .recipe_page import write_recipe


def first_record(order: Order, made: Made, data: DataSplit | None) -> RunRecord:
    """Return the record as far as it is known before measuring."""
    offered = order.plan.threads or (order.path.threads if order.path else None) or 1
    return RunRecord(
        engine=_engine(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        model=order.loaded.name,
        model_spec=order.loaded.spec,
        device=order.device.id,
        on_this_machine=order.on_this_machine,
        plan=order.plan,
        candidate=order.candidate,
        predicted=order.predicted,
        predicted_here=order.predicted_here,
        gains_here=order.gains_here,
        preview=order.preview,
        checks=made.checks,
        steps=made.steps,
        artefacts=made.artefacts,
        data=data.record if data else None,
        environment={
            **environment(made.pair.threads),
            **_placement(made),
            "runtime": made.pair.runtime.name,
            "threads_predicted": str(offered),
            "random_weights": str(order.loaded.random_weights).lower(),
        },
        recipe=recipe(order.plan, order.device, _files(order, made, data)),
        seed=order.seed,
        notes=notes_on(order, made, data),
    )


def finished(record: RunRecord, folder: Path) -> RunRecord:
    """Judge the measurements and add the recipe page to the files."""
    from advisor.verification.gains import gain_verdicts
    from advisor.verification.verdicts import verdicts

    record = record.model_copy(update={"verdicts": verdicts(record), "gain_verdicts": gain_verdicts(record)})
    page = write_recipe(record, folder)
    return record.model_copy(update={"artefacts": (*record.artefacts, artefact(page, folder, "recipe", ""))})


def _placement(made: Made) -> dict[str, str]:
    placement = made.pair.runtime.placement(made.pair.shipped)
    return {
        "heavy_int8": str(placement.heavy_int8),
        "heavy_float": str(placement.heavy_float),
        "quantize_nodes": str(placement.boundaries),
    }


def _files(order: Order, made: Made, data: DataSplit | None) -> dict[str, str]:
    return {
        "onnx": made.float_file.name,
        "shipped": made.pair.shipped.name,
        "calibration": str(data.directory) if data else "a folder of images",
        "shape": ",".join(str(n) for n in order.loaded.input_shape),
        "name": made.pair.shipped.stem,
    }


def _engine() -> str:
    try:
        return version("advisor")
    except PackageNotFoundError:
        return "0+checkout"
