"""Published latencies as the fit reads them: `knowledge/evidence/latency.csv.gz`, one measurement per row.

Columns: source, device, device_name, profile (id of the shipped profile, empty where there is none), unit, threads,
runtime, precision, batch, input, network, metric, published, ms (of the whole batch), macs_g, params_m (as the source
states them). Facts only; an empty cell was not stated.
"""

import csv
import gzip
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from advisor.devices import load_device
from advisor.devices.described import described_device
from advisor.errors import AdvisorError, DeviceError
from advisor.resources import data_dir
from advisor.schema import Device
from advisor.writing import write_bytes

RUNTIMES = {"stm32cube-ai": "stm32cubeai", "stedgeai": "stm32cubeai", "voyager-sdk": "voyager", "edgetpu": "tflite",
            "tflite-micro": "tflm"}  # fmt: skip
PRECISIONS = {"w8a8": "int8", "float": "", "fp32": "fp32"}
_HALVED = "OPS (about 2x MACs)"  # how a source's note says that it counts operations
_FALLBACK = "INT8_ON_CPU_FALLBACK"
_OUTLIER = 2.0  # an average above so many times the minimum was disturbed: the minimum is taken


@dataclass(frozen=True)
class Measured:
    """One published latency."""

    source: str
    device: str
    device_name: str
    profile: str
    unit: str
    threads: str
    runtime: str
    precision: str
    batch: str
    input: str
    network: str
    metric: str
    published: str
    ms: str
    macs_g: str
    params_m: str


def evidence_path() -> Path:
    """Where the evidence lies."""
    return data_dir("knowledge") / "evidence" / "latency.csv.gz"


def read_evidence(path: Path | None = None) -> list[Measured]:
    """Read the shipped evidence."""
    with gzip.open(path or evidence_path(), "rt", encoding="utf-8", newline="") as file:
        return [Measured(**row) for row in csv.DictReader(file)]


def write_evidence(rows: list[Measured], path: Path) -> None:
    """Write rows, byte for byte the same for the same rows."""
    write_rows(rows, Measured, path)


def write_rows(rows: Iterable[object], kind: type[Any], path: Path) -> None:
    """Write records of one dataclass as a table that is packed; its columns are their fields."""
    text = io.StringIO()
    names = [field.name for field in fields(kind)]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([getattr(row, name) for name in names] for row in rows)
    write_bytes(path, gzip.compress(text.getvalue().encode(), 9, mtime=0))


def imported(records: Iterator[Mapping[str, str]]) -> Iterator[Measured]:
    """Yield the usable rows of a table of published latencies in our own terms."""
    for record in records:
        notes = record.get("notes", "")
        if _FALLBACK in notes or not record["latency_ms"]:
            continue  # measured on another unit than the row says
        yield Measured(
            source=record["source"], device=record["device"], device_name=record["device_name"],
            profile=_profile(record["device"]), unit=record["unit"] or "cpu", threads=record["threads"],
            runtime=runtime_of(record["runtime"]), precision=precision_of(record), batch=record["batch"] or "1",
            input=record["input"], network=network_of(record["arch"], record["model"]), metric=record["metric"],
            published=record["published"], ms=_milliseconds(record["latency_ms"], notes),
            macs_g=_halved(record["macs_g"]) if _HALVED in notes else record["macs_g"], params_m=record["params_m"],
        )  # fmt: skip


def runtime_of(text: str) -> str:
    """Return a runtime's short name: the first words without versions."""
    name = text.strip().lower()
    if "hale" in name:
        return "hale"
    if name.startswith("tensorflow lite for micro"):
        return "tflm"
    word = re.split(r"[\s=]", name)[0] if name else ""
    short = {"x-cube-ai": "stm32cubeai", "stmicroelectronics": "stm32cubeai", "greenwaves-technologies": "gapflow",
             "qualcomm": "qnn"}.get(word, word)  # fmt: skip
    return RUNTIMES.get(short, short)


def network_of(arch: str, model: str) -> str:
    """Return the canonical id where there is one, else the source's name without marks of precision."""
    if arch:
        return arch.strip()
    name = re.sub(r"[\s_-]+(int8|quant|quantized)$", "", model.strip().lower())
    return re.sub(r"[\s-]+", "_", name)


def precision_of(record: Mapping[str, str]) -> str:
    """Return a row's precision in our terms, '' for the runtime's own float."""
    text = record.get("precision", "").strip().lower()
    if not text and "quantized" in record.get("notes", "").lower():
        return "int8"
    return PRECISIONS.get(text, text)


def _milliseconds(text: str, notes: str) -> str:
    found = re.search(r"\bmin=(\d+(?:\.\d+)?)", notes)
    least = float(found[1]) if found else 0.0
    return found[1] if found and least > 0 and float(text) > _OUTLIER * least else text


def _halved(text: str) -> str:
    return f"{float(text) / 2:g}" if text else text


@cache
def _profile(name: str) -> str:
    try:
        return load_device(name).id
    except DeviceError:
        return ""


@cache
def device_of(name: str, device_name: str, runtime: str, unit: str) -> Device | None:
    """Return the profile of a device of the evidence, or what its name tells, or None."""
    try:
        return load_device(name)
    except DeviceError:
        return described_device(device_name, runtime, unit)


def left_out() -> frozenset[tuple[str, str, str, str]]:
    """Return measurements that are not believed, with reasons in `knowledge/evidence/left_out.csv`."""
    with evidence_path().with_name("left_out.csv").open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        return frozenset((row["source"], row["device"], row["network"], row["precision"]) for row in rows)


def import_folder(folder: Path) -> list[Measured]:
    """Read `latency.csv.gz` of a folder of published measurements; those that are not believed stay out."""
    path = folder / "latency.csv.gz"
    if not path.is_file():
        raise AdvisorError("no published latencies here", where=str(path), remedy="Name a folder with latency.csv.gz.")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(imported(csv.DictReader(file)))
    disbelieved = left_out()
    return [row for row in rows if (row.source, row.device, row.network, row.precision) not in disbelieved]
