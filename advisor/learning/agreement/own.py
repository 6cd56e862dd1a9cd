"""Own measurements on an x86 CPU, `knowledge/prediction/measured_x86.csv`, as pairs of a float run and another one."""

import csv
from dataclasses import dataclass

from advisor.resources import data_dir


@dataclass(frozen=True)
class OwnMeasurement:
    """Time of a variant ('onnxruntime u8s8') over that of the same network in fp32 in the same runtime."""

    source: str
    network: str
    input: str
    runtime: str
    form: str
    ratio: float


def own_measurements() -> list[OwnMeasurement]:
    """Return the variants that have a float run of their own runtime beside them."""
    with (data_dir("knowledge") / "prediction" / "measured_x86.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    floats = {_key(row): float(row["ratio"]) for row in rows if row["variant"].endswith(" fp32")}
    found = []
    for row in rows:
        runtime, _, form = row["variant"].partition(" ")
        base = floats.get(_key(row))
        if form != "fp32" and base is not None:
            ratio = float(row["ratio"]) / base
            found.append(OwnMeasurement(row["source"], f"timm:{row['model']}", row["input"], runtime, form, ratio))
    return found


def _key(row: dict[str, str]) -> tuple[str, ...]:
    return row["source"], row["model"], row["input"], row["fp32_ms"], row["variant"].partition(" ")[0]
