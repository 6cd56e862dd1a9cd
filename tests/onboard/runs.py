"""Folders of runs made by hand: two small networks, without torch."""

import json
import signal
import time
from pathlib import Path

from advisor.execution.store import write_record
from advisor.measurement.size import artefact, size_measurement
from advisor.schema import Estimate, Metric, Plan, Preview, RunRecord
from tests.runtimes.graphs import write_linear

DEVICE = "intel-n100"  # of the family of machines that tests mostly run on


def estimate(metric, low, high):
    return Estimate(metric=metric, low=low, mid=(low + high) / 2, high=high, basis="fitted", predictor="test")


def write_run(folder: Path, *, device=DEVICE, plan=None, predicted=None, threads="1", **fields) -> Path:
    """Write a run whose shipped file is a quarter of the baseline."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [
        artefact(write_linear(folder / "baseline.onnx", 1024, 1024), folder, "baseline"),
        artefact(write_linear(folder / "model.onnx", 1024, 256), folder, "shipped", "int8"),
    ]
    guess = {
        Metric.LATENCY: estimate(Metric.LATENCY, 1e-6, 1e4),
        Metric.SIZE: estimate(Metric.SIZE, 1.0, 1.1),
        Metric.MEMORY: estimate(Metric.MEMORY, 1, 1e4),
    }
    record = RunRecord(
        engine="0", created="2026-01-01", model="small", device=device, on_this_machine=False,
        plan=plan or Plan(runtime="onnxruntime"), predicted=guess if predicted is None else predicted,
        preview=Preview(macs=1, params=1, weight_bytes=4, peak_activation_bytes=4, input_shapes=((1, 1024),),
                        precision="int8"),
        artefacts=tuple(files),
        measurements=(size_measurement(folder / "model.onnx", folder / "baseline.onnx", "onnxruntime", "here"),),
        environment={"runtime": "onnxruntime", "threads": "1", "threads_predicted": threads, "heavy_float": "3"},
        notes=("The target is another machine.", "Something else."),
        **fields,
    )  # fmt: skip
    write_record(record, folder)
    return folder


def results_of(folder: Path, **changes) -> dict:
    """Return what a board would have measured of a run: 1 ms and 2 ms in every round."""
    record = json.loads((folder / "run.json").read_text())
    quiet = dict.fromkeys(("load", "governor", "clock_mhz", "temperature_c", "throttle_events", "undervolted"))
    fields = {
        "format": "advisor-bench-results", "version": 1, "time_unit": "ms", "device": record["device"],
        "created": time.strftime("%Y-%m-%d"), "runtime": "onnxruntime", "used": "onnxruntime",
        "runtime_version": "1.2", "unit": "cpu", "threads": 1, "clock": "wall",
        "machine": {"name": "Intel(R) N100", "arch": "x86_64", "cpus": 4, "system": "Linux", "python": "3.9"},
        "before": dict(quiet), "after": dict(quiet), "meter": "",
        "artefacts": [measured(one) for one in record["artefacts"] if one["role"] in ("baseline", "shipped")],
    }  # fmt: skip
    return {**fields, **changes}


def measured(one: dict, **changes) -> dict:
    """Return the figures of one file: rounds of 500 runs in half a second or in one."""
    ms = 2.0 if one["role"] == "baseline" else 1.0
    fields = {name: one[name] for name in ("role", "file", "sha256", "bytes")}
    fields |= {"rounds_ms": [ms] * 9, "median_ms": ms, "minimum_ms": ms, "runs_per_round": 500}
    return {**fields, "seconds": 9 * 0.5 * ms, "energy_mj": [], **changes}


def heeding_ctrl_c():
    """Undo what a shell does to jobs in the background, which ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
