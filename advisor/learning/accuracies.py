"""Published accuracies before and after a technique: `knowledge/evidence/accuracy.csv.gz`, one comparison per row.

Columns: source, network (the id of a library where it is certain, else the source's own name in lower case), task,
dataset, metric, toolkit, technique, setting (key=value;...), runtime, device, baseline, compressed, delta (compressed
less baseline, in the metric's unit). Facts only; an empty cell was not stated.
"""

import csv
import gzip
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from advisor.errors import AdvisorError
from advisor.prediction.pooled.evidence import evidence_path, network_of, runtime_of, write_rows

_RUNTIME = re.compile(r"\bruntime=([a-z0-9-]+)")


@dataclass(frozen=True)
class Compared:
    """One published accuracy before and after."""

    source: str
    network: str
    task: str
    dataset: str
    metric: str
    toolkit: str
    technique: str
    setting: str
    runtime: str
    device: str
    baseline: str
    compressed: str
    delta: str

    @property
    def settings(self) -> dict[str, str]:
        """The settings by name."""
        return dict(part.split("=", 1) for part in self.setting.split(";") if "=" in part)


def accuracies_path() -> Path:
    """Where the accuracies lie."""
    return evidence_path().with_name("accuracy.csv.gz")


def read_accuracies(path: Path | None = None) -> list[Compared]:
    """Read the shipped accuracies."""
    with gzip.open(path or accuracies_path(), "rt", encoding="utf-8", newline="") as file:
        return [Compared(**row) for row in csv.DictReader(file)]


def write_accuracies(rows: list[Compared], path: Path) -> None:
    """Write rows, byte for byte the same for the same rows."""
    write_rows(rows, Compared, path)


def compared(records: Iterator[Mapping[str, str]]) -> Iterator[Compared]:
    """Yield the rows of a table of published accuracies in our own terms."""
    for record in records:
        if not record["delta"]:
            continue
        runtime = _RUNTIME.search(f"{record['setting']};{record.get('notes', '')}")
        yield Compared(
            source=record["source"], network=network_of(record["arch"], record["model"]), task=record["task"],
            dataset=record["dataset"], metric=record["metric"], toolkit=record["toolkit"],
            technique=record["technique"], setting=record["setting"],
            runtime=runtime_of(runtime[1]) if runtime else "", device=record["device"], baseline=record["baseline"],
            compressed=record["compressed"], delta=record["delta"],
        )  # fmt: skip


@dataclass(frozen=True)
class Disbelieved:
    """Comparisons that are not believed: those of a source, network and technique whose setting holds a text."""

    source: str
    network: str
    technique: str
    setting: str

    def covers(self, row: Compared) -> bool:
        """Whether a row is one of them; an empty field stands for any."""
        same = all(getattr(self, n) in ("", getattr(row, n)) for n in ("source", "network", "technique"))
        return same and self.setting in row.setting


def disbelieved() -> list[Disbelieved]:
    """Return what `knowledge/evidence/left_out.csv` says of accuracies."""
    with evidence_path().with_name("left_out.csv").open(newline="", encoding="utf-8") as file:
        return [
            Disbelieved(row["source"], row["network"], row["technique"], row["setting"])
            for row in csv.DictReader(file)
            if row["technique"]
        ]


def import_accuracies(folder: Path) -> list[Compared]:
    """Read `accuracy.csv.gz` of a folder of published comparisons; those that are not believed stay out."""
    path = folder / "accuracy.csv.gz"
    if not path.is_file():
        raise AdvisorError(
            "no published accuracies here", where=str(path), remedy="Name a folder with accuracy.csv.gz."
        )
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(compared(csv.DictReader(file)))
    wrong = disbelieved()
    return [row for row in rows if not any(item.covers(row) for item in wrong)]
