"""Carrying out a plan: from a loaded model to a run directory with artefacts, measurements and the record."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.facts import plan_precision
from advisor.progress import Progress, Silent
from advisor.ranking.evaluate import Predictions
from advisor.schema import Device, Estimate, Gain, Metric, Plan, Preview, RunRecord, Workload

from .data import for_search, open_data
from .hardware import helping
from .images import ImageReader, channels_of
from .journal import Header, weights_digest
from .making import Carry, lay_out, set_out
from .order import Order
from .record import finished, first_record
from .refuse import check_data, check_plan
from .search import Asked, searching, verdict_on
from .steps import carry_out
from .store import check_free, read_run, write_record
from .trials import measure_accuracy, measure_costs
from .working import at_work, finished_before

if TYPE_CHECKING:
    from advisor.loading import LoadedModel

WEIGHTS_STORED = 8  # files of about the model's size beside those of the steps: baseline, shipped, weights, checkpoint


def apply_plan(  # noqa: PLR0913  (what a recommendation holds, by name)
    plan: Plan,
    loaded: "LoadedModel",
    *,
    data_dir: Any,
    out: Path,
    device: Device,
    predicted: dict[Metric, Estimate] | None = None,
    predicted_here: dict[Metric, Estimate] | None = None,
    gains_here: dict[Metric, Gain] | None = None,
    preview: Preview | None = None,
    candidate: int | None = None,
    seed: int = 0,
    resume: bool = False,
    restart: bool = False,
    carry: Carry = carry_out,
    limit: Asked | None = None,
    predict: Callable[[Plan], Predictions] | None = None,
    progress: Progress | None = None,
) -> RunRecord:
    """Apply `plan` to a copy of the model and measure the result; `out` appears complete or not at all.

    Refuses up front what cannot be carried out. The record is stored as `run.json` in `out`. A run that something
    stopped is kept beside `out`: `resume` goes on with it, `restart` drops it. `carry` carries the steps out; it may
    choose their settings itself and says in its plan what they became. With a `limit` the settings are searched for:
    the strongest that keep within it (NothingHolds where none do); `predict` predicts anew what they became.
    """
    progress = progress or Silent()
    check_plan(plan, loaded, data_dir)
    check_free(out)
    data = None if data_dir is None else open_data(data_dir, loaded.classes, seed)
    check_data(plan, data)
    if data is not None and limit is not None:
        data = for_search(data, seed)
    header = Header(
        plan=plan,
        model=weights_digest(loaded.module, loaded.onnx_path),
        data=data.digest if data else None,
        device=device.id,
        seed=seed,
        max_drop=limit.max_drop if limit else None,
    )
    if resume and (before := finished_before(out, header)) is not None:
        return before
    workload = _profile(loaded)
    preview = preview or _preview(plan, workload)
    order = Order(
        plan, loaded, device, predicted or {}, predicted_here or {}, gains_here or {}, preview, candidate, seed, header
    )
    reader = ImageReader(loaded.preprocessing, channels_of(loaded.input_shape, images=data is not None))
    space = (WEIGHTS_STORED + len(plan.steps)) * 4 * workload.params
    with at_work(out, header, space=space, resume=resume, restart=restart) as journal:
        start, shop = set_out(order, data, reader, journal, workload, progress)
        carried = (searching(limit) if limit else carry)(plan, start, shop)
        if predict is not None and carried.plan != plan:
            order = replace(order, **predict(carried.plan))
        if not helping():
            made = lay_out(order, start, carried, shop, workload, journal.folder)
            record = first_record(order, made, data, journal)
            accuracy, scores = measure_accuracy(made.pair, data, reader, progress)
            costs = measure_costs(made.pair, seed, progress)
            judged = record.search and verdict_on(record.search, next(iter(scores), None))
            measured = {"accuracy": accuracy, "measurements": (*costs, *scores), "search": judged}
            record = record.model_copy(update=measured)
            write_record(finished(record, journal.folder), journal.folder)
    return read_run(out)


def _profile(loaded: "LoadedModel") -> Workload:
    from advisor.profiling import profile

    return profile(loaded, batch=loaded.input_shape[0])


def _preview(plan: Plan, workload: Workload) -> Preview:
    from advisor.ranking.evaluate import preview_of
    from advisor.techniques import preview_plan

    return preview_of(preview_plan(plan, workload), plan_precision(plan))
