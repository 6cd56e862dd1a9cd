"""Holding what a board measured against what was predicted for that board."""

import re
from pathlib import Path

from advisor.devices import load_device
from advisor.errors import AdvisorError, RunError
from advisor.execution.store import read_run
from advisor.measurement.conditions import disturbance
from advisor.schema import Artefact, Device, Metric, RunRecord, Verdict
from advisor.verification import verdicts
from advisor.verification.causes import known_causes

from .figures import conditions, machine, measurements
from .results import BoardArtefact, BoardResults, read_results

MEASURED_ON = "measured_on"  # of the record's environment: the device that measured
NOT_THE_TARGET = "The target is "  # begins the note of `apply` that another machine measured
_OF_THE_PATH = (Metric.LATENCY, Metric.MEMORY, Metric.ENERGY)  # predicted for one runtime, unit and number of threads
_ANYWHERE = (Metric.SIZE, Metric.ACCURACY)  # of the same files the same, wherever they were measured
_FORMATS = {"onnxruntime": "onnx", "tflite": "tflite", "ncnn": "param", "openvino": "xml"}
_FAMILIES = {
    "x86": ("x86_64", "amd64", "i386", "i586", "i686"),
    "arm": ("aarch64", "arm64", "armv8l", "armv7l", "armv7", "armv6l", "arm"),
    "riscv": ("riscv64", "riscv32"),
    "loongarch": ("loongarch64",),
}


def verify_measured(run_dir: Path, file: Path) -> RunRecord:
    """Return the record of a run with what its board measured, from results.json; nothing is written."""
    return judged(run_dir, read_results(file), str(file))


def judged(run_dir: Path, results: BoardResults, where: str) -> RunRecord:
    """Return the record of a run with these results and verdicts on them; `where` names them in errors."""
    record = read_run(run_dir)
    _check_device(record, results, where)
    files = {one.role: one for one in record.artefacts if one.role in ("baseline", "shipped")}
    for measured in results.artefacts:
        _check_file(measured, files.get(measured.role), where)
    kept = tuple(m for m in record.measurements if m.metric in _ANYWHERE)
    record = record.model_copy(
        update={
            "on_this_machine": True,
            "predicted_here": {},
            "gains_here": {},
            "gain_verdicts": (),
            "measurements": (*measurements(results), *kept),
            "environment": _environment(record, results),
            "notes": _notes(record, results),
        }
    )
    return record.model_copy(update={"verdicts": _comparable(record, results)})


def _notes(record: RunRecord, results: BoardResults) -> tuple[str, ...]:
    """Drop what was said of the measurement on this machine, and doubt a board that calls itself something else."""
    kept = [note for note in record.notes if not note.startswith(NOT_THE_TARGET)]
    said = f"Measured on {record.device} at {results.created} by {results.used} {results.runtime_version}."
    device = _profile(record.device)
    named = _words(f"{device.name} {device.soc} {' '.join(device.aliases)}") if device else set()
    if named and not named & _words(results.machine.name):
        said += f" The board calls itself {results.machine.name!r}: make sure that it is a {record.device}."
    return (*kept, said)


def _words(name: str) -> set[str]:
    """Return the words of a name that tell one product from another: those with a figure in them, else all."""
    words = set(re.findall(r"[a-z0-9]+", name.lower()))
    return {word for word in words if any(letter.isdigit() for letter in word)} or words


def _check_device(record: RunRecord, results: BoardResults, where: str) -> None:
    if results.device != record.device:
        raise RunError(
            f"the results are of {results.device}, the run is for {record.device}",
            where=where,
            remedy="Give the results of this run's kit.",
        )
    device = _profile(record.device)
    wanted = _family(device.cpu.arch) if device and device.cpu else ""
    found = _family(results.machine.arch)
    if wanted and found and wanted != found:
        raise RunError(
            f"the results were measured on {results.machine.arch} ({results.machine.name}), which is no "
            f"{record.device}",
            where=where,
            remedy="Run the kit on the board that the plan is for.",
        )


def _profile(device: str) -> Device | None:
    try:
        return load_device(device)
    except AdvisorError:
        return None  # a profile of the user's that is no longer there


def _family(arch: str) -> str:
    return next((family for family, names in _FAMILIES.items() if arch.lower() in names), "")


def _check_file(measured: BoardArtefact, known: Artefact | None, where: str) -> None:
    if known is None or measured.sha256 != known.sha256:
        raise RunError(
            f"the results are of another {measured.file}: its checksum begins with {measured.sha256[:12]}, that of "
            f"the run with {known.sha256[:12] if known else 'none'}",
            where=where,
            remedy="Make the kit of this run anew with 'advisor bench-kit', and run it on the board.",
        )


def _environment(record: RunRecord, results: BoardResults) -> dict[str, str]:
    before, after = conditions(results)
    kept = ("threads_predicted", "random_weights")
    said = {
        "load_average": after.load,
        "governor": after.governor,
        "clock_mhz": after.clock_mhz,
        "temperature_c": after.temperature_c,
        "throttle_events": after.throttle_events,
    }
    return {
        "machine": machine(results),
        "system": results.machine.system,
        "python": results.machine.python,
        "threads": str(results.threads),
        **{name: _plain(value) for name, value in said.items()},
        "throttled": disturbance(before, after) or "no",
        "runtime": results.runtime,
        "unit": results.unit,
        results.runtime: results.runtime_version,
        MEASURED_ON: record.device,
        **{name: record.environment[name] for name in kept if name in record.environment},
    }


def _plain(value: float | str | None) -> str:
    return "unknown" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _comparable(record: RunRecord, results: BoardResults) -> tuple[Verdict, ...]:
    """Judge, but not what was measured in another way than was predicted."""
    reasons = dict.fromkeys(_OF_THE_PATH, _otherwise(record, results)) | {Metric.SIZE: _other_format(record)}
    return tuple(
        one.model_copy(
            update={
                "predicted": record.predicted.get(one.metric),
                "hit": None,
                "explanation": reason,
                "cause": "other_setup",
                "rules": known_causes()["other_setup"].rules,
            }
        )
        if (reason := reasons.get(one.metric, "")) and one.measured is not None
        else one
        for one in verdicts(record)
    )


def _other_format(record: RunRecord) -> str:
    """Say that the shipped file is only what the target's converter starts from, or return an empty string."""
    shipped = next(one for one in record.artefacts if one.role == "shipped")
    if shipped.format == _FORMATS.get(record.plan.runtime):
        return ""
    return f"measured is the .{shipped.format} file, but predicted what {record.plan.runtime} makes of it"


def _otherwise(record: RunRecord, results: BoardResults) -> str:
    measured = f"{results.runtime}/{results.unit}"
    if measured != record.plan.path:
        return f"measured with {measured}, but predicted for {record.plan.path}"
    predicted = record.environment.get("threads_predicted", str(results.threads))
    if str(results.threads) != predicted:
        return f"measured with {results.threads} thread(s), but predicted for {predicted}"
    return ""
