"""Packing a run for its board: the files to measure, a program that measures them, and a page that says how."""

import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from advisor.devices import load_device
from advisor.errors import GoalError, NotApplicable
from advisor.execution.store import read_run
from advisor.measurement.latency import FEWEST_ROUNDS
from advisor.schema import Artefact, RunRecord

BOARD = Path(__file__).parent / "board"
PROGRAMS = ("measure.py", "backends.py")
FORMATS = {
    "onnx": "onnxruntime, TensorRT's trtexec, OpenVINO's benchmark_app",
    "tflite": "LiteRT (ai_edge_litert or tflite_runtime)",
    "param": "ncnn (Python or benchncnn)",
    "xml": "OpenVINO's benchmark_app",
}
_BESIDE = {"param": ".bin", "xml": ".bin"}  # formats whose weights are a file of their own
ROUNDS = 9
ROUND_SECONDS = 0.5  # longer than here: a board may be slow to raise its clock
_MEASURED = ("baseline", "shipped")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same run gives the same archive


def write_kit(run_dir: Path, out: Path, *, threads: int | None = None, rounds: int | None = None) -> dict[str, Any]:
    """Write the archive, whole or not at all, and return what kit.json in it says."""
    if out.suffix != ".zip":
        raise GoalError(f"--output: {str(out)!r} is no .zip", remedy="Name it kit.zip.")
    if rounds is not None and rounds < FEWEST_ROUNDS:
        raise GoalError(f"{rounds} rounds are too few", remedy=f"Give {FEWEST_ROUNDS} or more.")
    record = read_run(run_dir)
    _check_system(record.device)
    kit = described(record, threads, rounds)
    with _whole(out) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in PROGRAMS:
            _add(archive, f"{out.stem}/{name}", (BOARD / name).read_bytes())
        _add(archive, f"{out.stem}/README.md", _readme(record, kit).encode())
        _add(archive, f"{out.stem}/kit.json", json.dumps(kit, indent=1).encode())
        for name in sorted({name for one in kit["artefacts"] for name in (one["file"], *one["companions"])}):
            archive.write(run_dir / name, f"{out.stem}/{name}")
    return kit


def described(record: RunRecord, threads: int | None = None, rounds: int | None = None) -> dict[str, Any]:
    """Return what the program on the board has to know of a run."""
    measured = [one for one in record.artefacts if one.role in _MEASURED]
    for one in measured:
        if one.format not in FORMATS:
            raise NotApplicable(
                f"{one.file} runs in {record.plan.runtime} with advisor alone",
                remedy="Apply a plan whose runtime a board has: onnxruntime, tflite, ncnn, tensorrt, openvino.",
            )
    return {
        "format": "advisor-bench-kit",
        "version": 1,
        "model": record.model,
        "plan": record.done.label,
        "device": record.device,
        "runtime": record.plan.runtime,
        "unit": record.plan.unit,
        "threads": threads or int(record.environment.get("threads_predicted", record.plan.threads or 1)),
        "rounds": rounds or ROUNDS,
        "round_seconds": ROUND_SECONDS,
        "artefacts": [_file(one, record) for one in measured],
    }


def _check_system(device: str) -> None:
    """Refuse a device that has no operating system to run a program on."""
    if not load_device(device).os:
        raise NotApplicable(
            f"{device} has no operating system that a kit could run on",
            remedy="The recipe of the run tells how to measure there; for Ethos-U, 'advisor estimate' needs no board.",
        )


def _file(one: Artefact, record: RunRecord) -> dict[str, Any]:
    shapes = record.preview.input_shapes
    return {
        "role": one.role,
        "file": one.file,
        "format": one.format,
        "precision": one.precision,
        "bytes": one.bytes,
        "sha256": one.sha256,
        "input_shape": list(shapes[0]) if shapes else [],
        "companions": _companions(one, record),
    }


def _companions(one: Artefact, record: RunRecord) -> dict[str, str]:
    """Return the files that an artefact cannot be opened without, with their checksums."""
    if one.format not in _BESIDE:
        return {}
    name = Path(one.file).with_suffix(_BESIDE[one.format]).as_posix()
    found = {other.file: other.sha256 for other in record.artefacts if other.file == name}
    if not found:
        raise NotApplicable(f"the run has no {name}, which {one.file} needs", remedy="Apply the plan again.")
    return found


def _readme(record: RunRecord, kit: dict[str, Any]) -> str:
    text = (BOARD / "README.md").read_text(encoding="utf-8")
    rows = (f"| `{one['file']}` | {one['role']} | {one['precision']} |" for one in kit["artefacts"])
    runtimes = "; ".join(FORMATS[kind] for kind in sorted({one["format"] for one in kit["artefacts"]}))
    return text.format(
        model=record.model,
        device=record.device,
        label=record.done.label,
        path=record.plan.path,
        runtime=kit["runtime"],
        unit=kit["unit"],
        threads=kit["threads"],
        runtimes=runtimes,
        files="\n".join(rows),
    )


@contextmanager
def _whole(out: Path) -> Iterator[Path]:
    """Let a file be written under another name, and give it its own when it is complete."""
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        yield partial
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)
