"""Carrying out a plan: from a loaded model to a run directory with artefacts, measurements and the record."""

from pathlib import Path
from typing import TYPE_CHECKING

from advisor.errors import DataError
from advisor.facts import plan_precision
from advisor.progress import Progress, Silent
from advisor.schema import Device, Estimate, Gain, Metric, Plan, Preview, RunRecord, Workload

from .data import DataSplit, open_data
from .images import ImageReader
from .making import make
from .order import Order
from .record import finished, first_record
from .refuse import check_data, check_plan
from .store import check_free, new_run, write_record
from .trials import measure_accuracy, measure_costs

if TYPE_CHECKING:
    from advisor.loading import LoadedModel


def apply_plan(  # noqa: PLR0913  (what a recommendation holds, by name)
    plan: Plan,
    loaded: "LoadedModel",
    *,
    data_dir: Path | None,
    out: Path,
    device: Device,
    predicted: dict[Metric, Estimate] | None = None,
    predicted_here: dict[Metric, Estimate] | None = None,
    gains_here: dict[Metric, Gain] | None = None,
    preview: Preview | None = None,
    candidate: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> RunRecord:
    """Apply `plan` to a copy of the model and measure the result; `out` appears complete or not at all.

    Refuses up front what cannot be carried out. The record is stored as `run.json` in `out`.
    """
    progress = progress or Silent()
    check_plan(plan, loaded, data_dir)
    check_free(out)
    data = None if data_dir is None else open_data(data_dir, loaded.classes, seed)
    check_data(plan, data)
    workload = _profile(loaded)
    preview = preview or _preview(plan, workload)
    order = Order(
        plan, loaded, device, predicted or {}, predicted_here or {}, gains_here or {}, preview, candidate, seed
    )
    reader = ImageReader(loaded.preprocessing, _channels(loaded, data))
    with new_run(out) as folder:
        made = make(order, data, reader, folder, workload, progress)
        record = first_record(order, made, data)
        accuracy, scores = measure_accuracy(made.pair, data, reader, progress)
        costs = measure_costs(made.pair, seed, progress)
        record = record.model_copy(update={"accuracy": accuracy, "measurements": (*costs, *scores)})
        record = finished(record, folder)
        write_record(record, folder)
    return record


def _profile(loaded: "LoadedModel") -> Workload:
    from advisor.profiling import profile

    return profile(loaded, batch=loaded.input_shape[0])


def _preview(plan: Plan, workload: Workload) -> Preview:
    from advisor.ranking.evaluate import preview_of
    from advisor.techniques import preview_plan

    return preview_of(preview_plan(plan, workload), plan_precision(plan))


def _channels(loaded: "LoadedModel", data: DataSplit | None) -> int:
    shape = loaded.input_shape
    if len(shape) == 4 and shape[1] in (1, 3):
        return shape[1]
    if data is not None:
        raise DataError(f"images do not fit an input of shape {shape}", remedy="Models take 1 or 3 channels.")
    return 3
