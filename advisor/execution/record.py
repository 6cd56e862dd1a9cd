"""Writing down a run: environment, recipe, verdicts, notes."""

import json
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from advisor.measurement.machine import environment
from advisor.measurement.size import artefact
from advisor.runtimes.recipes import recipe
from advisor.schema import RunRecord
from advisor.writing import write_text

from .data import DataSplit
from .journal import Journal
from .model_card import write_card
from .notes import notes_on, resumed_elsewhere
from .order import Made, Order
from .recipe_page import write_recipe

PLAN = "plan.json"


def first_record(order: Order, made: Made, data: DataSplit | None, journal: Journal) -> RunRecord:
    """Return the record as far as it is known before measuring."""
    offered = order.plan.threads or (order.path.threads if order.path else None) or 1
    return RunRecord(
        engine=_engine(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        model=order.loaded.name,
        model_spec=order.loaded.spec,
        model_digest=order.header.model,
        device=order.device.id,
        on_this_machine=order.on_this_machine,
        plan=order.plan,
        resolved=None if made.resolved == order.plan else made.resolved,
        candidate=order.candidate,
        predicted=order.predicted,
        predicted_here=order.predicted_here,
        gains_here=order.gains_here,
        preview=order.preview,
        checks=made.checks,
        search=made.search,
        steps=made.steps,
        artefacts=made.artefacts,
        data=data.record if data else None,
        environment={
            **environment(made.pair.threads),
            **_placement(made),
            "runtime": made.pair.runtime.name,
            "threads_predicted": str(offered),
            **_training_threads(),
            "random_weights": str(order.loaded.random_weights).lower(),
        },
        recipe=recipe(made.resolved, order.device, _files(order, made, data)),
        seed=order.seed,
        notes=(*notes_on(order, made, data), *resumed_elsewhere(journal.pages.environment)),
    )


def finished(record: RunRecord, folder: Path) -> RunRecord:
    """Judge the measurements and add the plan, the recipe page and the model card to the files."""
    from advisor.verification.gains import gain_verdicts
    from advisor.verification.verdicts import verdicts

    record = record.model_copy(update={"verdicts": verdicts(record), "gain_verdicts": gain_verdicts(record)})
    plan, page = write_plan(record, folder), write_recipe(record, folder)
    pages = (artefact(plan, folder, "plan", ""), artefact(page, folder, "recipe", ""))
    record = record.model_copy(update={"artefacts": (*record.artefacts, *pages)})
    card = artefact(write_card(record, folder), folder, "card", "")
    return record.model_copy(update={"artefacts": (*record.artefacts, card)})


def write_plan(record: RunRecord, folder: Path) -> Path:
    """Write plan.json: the plan as it was asked for, and as it was carried out."""
    asked, done = (plan.model_dump(mode="json") for plan in (record.plan, record.resolved or record.plan))
    path = folder / PLAN
    write_text(path, json.dumps({"asked": asked, "resolved": done, "seed": record.seed}, indent=1) + "\n")
    return path


def _training_threads() -> dict[str, str]:
    """Return the threads that training had; without torch there was none."""
    if "torch" not in sys.modules:
        return {}
    import torch

    return {"training_threads": str(torch.get_num_threads())}


def _placement(made: Made) -> dict[str, str]:
    placement = made.placement
    computed = ", ".join(f"{count} in {kind}" for kind, count in sorted(placement.arithmetic.items()))
    return {
        **({"computed": computed} if computed else {}),
        "heavy_int8": str(placement.heavy_int8),
        "heavy_float": str(placement.heavy_float),
        "quantize_nodes": str(placement.boundaries),
    }


def _files(order: Order, made: Made, data: DataSplit | None) -> dict[str, str]:
    return {
        "onnx": made.float_file.name,
        "shipped": made.pair.shipped.name,
        "calibration": data.origin if data and data.form == "folder" else "a folder of images",
        "shape": ",".join(str(n) for n in order.loaded.input_shape),
        "name": made.pair.shipped.stem,
    }


def _engine() -> str:
    try:
        return version("advisor")
    except PackageNotFoundError:
        return "0+checkout"
