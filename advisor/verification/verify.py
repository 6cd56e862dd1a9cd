"""Measuring the artefacts of a stored run again and judging the predictions anew; the model itself is not needed."""

from pathlib import Path
from typing import Any

from advisor import runtimes
from advisor.errors import AdvisorError, RunError
from advisor.execution.data import DataSplit
from advisor.execution.images import ImageReader
from advisor.execution.preprocessing import read as read_preprocessing
from advisor.execution.sources import unopened
from advisor.execution.split_record import reopen
from advisor.execution.store import read_run
from advisor.execution.trials import Pair, measure_accuracy, measure_costs
from advisor.measurement.machine import environment, machine_name
from advisor.progress import Progress, Silent
from advisor.schema import DataRecord, Measurement, Metric, RunRecord

from .gains import gain_verdicts
from .verdicts import verdicts


def verify_run(run_dir: Path, *, data: Any = None, progress: Progress | None = None) -> RunRecord:
    """Return the record with fresh measurements and verdicts; files of the run are read, none is written.

    Accuracy is measured again where the images are still the same, else the stored figure is kept and a note says so.
    `data` says where they are now; a function of the user's is called only where it is named here.
    """
    progress = progress or Silent()
    record, moved = _for_this_machine(read_run(run_dir))
    pair = _pair(record, run_dir)
    costs = measure_costs(pair, record.seed, progress)
    accuracy, scores, notes = _accuracy(record, pair, run_dir, data, progress)
    record = record.model_copy(
        update={
            "accuracy": accuracy,
            "measurements": (*costs, *scores),
            "environment": {**record.environment, **environment(pair.threads)},
            "notes": tuple(dict.fromkeys((*record.notes, *moved, *notes))),
        }
    )
    return record.model_copy(update={"verdicts": verdicts(record), "gain_verdicts": gain_verdicts(record)})


def _for_this_machine(record: RunRecord) -> tuple[RunRecord, tuple[str, ...]]:
    """Drop what was predicted for another machine than this one; size and accuracy are the same wherever they are."""
    before, now = record.environment.get("machine"), machine_name()
    if before in (None, now):
        return record, ()
    portable = {m: e for m, e in record.predicted_here.items() if m in (Metric.SIZE, Metric.ACCURACY)}
    gains = {m: g for m, g in record.gains_here.items() if m in portable}
    note = f"Measured again on {now}; the predictions of time and memory were for {before} and are not judged here."
    return record.model_copy(update={"on_this_machine": False, "predicted_here": portable, "gains_here": gains}), (
        note,
    )


def _pair(record: RunRecord, run_dir: Path) -> Pair:
    files = {a.role: run_dir / a.file for a in record.artefacts if a.role in ("baseline", "shipped")}
    missing = {"baseline", "shipped"} - set(files)
    if missing:
        raise RunError(f"the run names no {missing.pop()} file", where=str(run_dir), remedy="Apply the plan again.")
    runtime = runtimes.get(record.environment.get("runtime", "onnxruntime"))
    return Pair(files["baseline"], files["shipped"], runtime, int(record.environment.get("threads", "1")))


def _accuracy(
    record: RunRecord, pair: Pair, run_dir: Path, named: Any, progress: Progress
) -> tuple[dict[str, float], tuple[Measurement, ...], tuple[str, ...]]:
    """Measure the task's metric again, or keep the stored figure and say why."""
    kept = tuple(m for m in record.measurements if m.metric is Metric.ACCURACY)
    if record.data is None or not record.accuracy:
        return record.accuracy, kept, ()
    data, reason = _same_images(record.data, run_dir, named)
    if data is None:
        return record.accuracy, kept, (f"Accuracy was not measured again: {reason}.",)
    preprocessing = read_preprocessing(run_dir)
    accuracy, scores = measure_accuracy(
        pair, data, ImageReader(preprocessing, preprocessing.channels), progress, record.seed
    )
    return accuracy, scores, ()


def _same_images(record: DataRecord, run_dir: Path, named: Any) -> tuple[DataSplit | None, str]:
    if named is None and (reason := unopened(record.origin)):
        return None, reason
    try:
        return reopen(record, run_dir, named), ""
    except AdvisorError as error:
        return None, error.what
