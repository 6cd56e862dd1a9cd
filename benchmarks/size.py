"""Predicted against real file sizes of timm networks in every form that `apply` writes; fits the figures used.

    python benchmarks/size.py [--kept FOLDER]

Writes knowledge/prediction/size_fitted.yaml and docs/size.md. Every error in the table is that of a network left out of
the fit. `--kept` is where files' sizes and graphs are remembered between runs (see benchmarks/artefacts.py).
"""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from artefacts import NETWORKS, SMALL, UNSEEN, made, quiet, workloads
from scipy.optimize import nnls

from advisor.prediction.fusion import fold
from advisor.prediction.size import WEIGHTS_SHARE
from advisor.prediction.written import Written, written

ROOT = Path(__file__).resolve().parents[1]
FORMATS = {"fp32": "onnx", "fp16": "onnx-fp16", "int8": "onnx-int8", "int8-dynamic": "onnx-dynamic", "w8": "onnx-w8",
           "w4": "onnx-w4"}  # fmt: skip
COUNTS = {
    "fp32": ("nodes", "constants"),
    "fp16": ("nodes", "constants"),
    "int8": ("nodes", "constants", "pairs", "quantized", "bias_channels"),
    "int8-dynamic": ("nodes", "constants", "quantized"),
    "w8": ("nodes", "constants", "quantized"),
    "w4": ("nodes", "constants", "quantized"),
}
COVERAGE = 0.8


@dataclass(frozen=True)
class Row:
    """One file: network, form, real bytes and what it should hold."""

    network: str
    form: str
    bytes: int
    held: Written


def rows(networks: Iterable[str], kept: Path) -> list[Row]:
    """Return the files of these networks; one without a form (no linear layer, refused by the quantizer) lacks it."""
    found = []
    for name in networks:
        planned = workloads(name, kept)
        for form, file in made(name, kept).items():
            found.append(Row(name, form, file.bytes, written(fold(planned[form]))))
    return found


def fit(mine: list[Row], form: str) -> np.ndarray:
    """Least squares without negative costs; errors count relative to the whole file. The last figure is fixed."""
    sizes = np.array([row.bytes for row in mine], dtype=float)
    extra = np.array([row.bytes - row.held.weights for row in mine], dtype=float)
    figures, _ = nnls(columns(mine, form) / sizes[:, None], extra / sizes)
    return figures


def columns(mine: list[Row], form: str) -> np.ndarray:
    """Counts of each file, and a one for what every file has."""
    return np.array([[*(row.held.counts()[key] for key in COUNTS[form]), 1] for row in mine], dtype=float)


def errors_left_out(mine: list[Row], form: str) -> np.ndarray:
    """Relative error of each file predicted by a fit to all other networks."""
    found = []
    for place, row in enumerate(mine):
        figures = fit(mine[:place] + mine[place + 1 :], form)
        found.append((row.held.weights + float(columns([row], form)[0] @ figures)) / row.bytes - 1)
    return np.array(found)


def margin(mine: list[Row], errors: np.ndarray) -> float:
    """Half width of the interval as a share of its scale: the conformal quantile of absolute errors."""
    scores = np.abs(errors) * [row.bytes / scale(row) for row in mine]
    return conformal(scores)


def conformal(scores: np.ndarray) -> float:
    """Return the quantile of scores within which a new one lies with the probability of an interval."""
    rank = min(int(np.ceil(COVERAGE * (len(scores) + 1))), len(scores)) - 1
    return float(np.sort(scores)[rank])


def scale(row: Row) -> float:
    """Return what errors grow with, in bytes: what the format adds, and a little with the weights."""
    return max(1.0, row.bytes - row.held.weights) + WEIGHTS_SHARE * row.held.weights


def inside(mine: list[Row], errors: np.ndarray, half: float) -> np.ndarray:
    """Return which files lie in their intervals; the scale is that of the prediction, as it is for a user."""
    predicted = np.array([row.bytes for row in mine]) * (1 + errors)
    weights = np.array([row.held.weights for row in mine])
    scales = np.maximum(1.0, predicted - weights) + WEIGHTS_SHARE * weights
    return np.abs(errors) * [row.bytes for row in mine] <= half * scales


def coverage(mine: list[Row], form: str) -> float:
    """Share of files inside intervals that were set on the other half of the networks, both ways."""
    held: list[bool] = []
    for first in (0, 1):
        known, asked = mine[first::2], mine[1 - first :: 2]
        figures, half = fit(known, form), margin(known, errors_left_out(known, form))
        guess = np.array([r.held.weights for r in asked]) + columns(asked, form) @ figures
        held += list(inside(asked, guess / np.array([r.bytes for r in asked]) - 1, half))
    return float(np.mean(held))


def main() -> None:
    """Fit, judge and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kept", type=Path, default=ROOT / "build" / "artefacts")
    kept = parser.parse_args().kept
    quiet()
    table, unseen = rows((*NETWORKS, *SMALL), kept), rows(UNSEEN, kept)
    fitted, summary, judged, spent, errors = [], [], [], [], {}
    for form, name in FORMATS.items():
        mine = [row for row in table if row.form == form]
        figures, left_out = fit(mine, form), errors_left_out(mine, form)
        errors |= {(row.network, form): error for row, error in zip(mine, left_out, strict=True)}
        costs = {key: round(float(v), 1) for key, v in zip(COUNTS[form], figures, strict=False) if v > 0}
        per = ", ".join(f"{key}: {value}" for key, value in costs.items())
        fitted.append(
            f"  {name}: {{per: {{{per}}}, fixed: {figures[-1]:.0f}, margin: {margin(mine, left_out):.4f}, "
            f"basis: calibrated, n: {len(mine)}, source: size-files}}"
        )
        fresh = [row for row in unseen if row.form == form]
        guess = np.array([r.held.weights for r in fresh]) + columns(fresh, form) @ figures
        new = guess / np.array([r.bytes for r in fresh]) - 1
        errors |= {(row.network, form): error for row, error in zip(fresh, new, strict=True)}
        judged.append(
            f"| {form} | {len(fresh)} | {np.abs(new).mean():.2%} | {np.median(np.abs(new)):.2%} | "
            f"{np.abs(new).max():.2%} | {np.mean(np.abs(new) <= 0.02):.0%} | "
            f"{np.mean(inside(fresh, new, margin(mine, left_out))):.0%} |"
        )
        for label, some in (("", set(NETWORKS)), (", small networks", set(SMALL))):
            size = np.abs([error for row, error in zip(mine, left_out, strict=True) if row.network in some])
            summary.append(
                f"| {form}{label} | {len(size)} | {size.mean():.2%} | {np.median(size):.2%} | {size.max():.2%} | "
                f"{np.mean(size <= 0.02):.0%} | {f'{coverage(mine, form):.0%}' if not label else ''} |"
            )
        spent.append(
            f"| {form} | "
            + " | ".join(f"{costs[key]:.0f}" if key in costs else "-" for key in COUNTS["int8"])
            + f" | {figures[-1]:.0f} |"
        )
        print(*summary[-2:], judged[-1], costs, sep="\n")
    _write(fitted, {"summary": summary, "judged": judged, "costs": spent}, table + unseen, errors)


def _write(
    fitted: list[str], parts: dict[str, list[str]], table: list[Row], errors: dict[tuple[str, str], float]
) -> None:
    versions = f"torch {torch.__version__.split('+')[0]} exporter, onnxruntime {onnxruntime.__version__} quantizer"
    day = datetime.now(UTC).date()
    (ROOT / "knowledge/prediction/size_fitted.yaml").write_text(
        "# Bytes that a file adds to its weights, by what it holds. Written by benchmarks/size.py; do not edit.\n"
        "formats:\n" + "\n".join(fitted) + "\nsources:\n"
        f"  size-files: benchmarks/size.py, {versions}, {day}\n",
        encoding="utf-8",
    )
    by_network: dict[str, dict[str, Row]] = {}
    for row in table:
        by_network.setdefault(row.network, {})[row.form] = row
    lines = [
        f"| {name} | " + " | ".join(_cells(forms.get(form), errors) for form in FORMATS) + " |"
        for name, forms in by_network.items()
    ]
    fields = {name: "\n".join(text) for name, text in parts.items()}
    fields |= {"head": " | ".join(f"{form} MB | error" for form in FORMATS), "lines": "\n".join(lines)}
    fields |= {"rule": "|".join(["---"] + ["---:"] * 8), "versions": versions, "day": str(day)}
    (ROOT / "docs/size.md").write_text(PAGE.format(**fields), encoding="utf-8")


def _cells(row: Row | None, errors: dict[tuple[str, str], float]) -> str:
    return f"{row.bytes / 1e6:.3f} | {errors[row.network, row.form]:+.2%}" if row else "- | -"


PAGE = """# Predicted file sizes

Written by `python benchmarks/size.py` ({versions}, {day}). Do not edit.

The size of a file is the bytes of what it stores, which is arithmetic on the planned network, plus what the format adds
around it. The figures for the second part are fitted. Every error below is that of a network left out of the fit, and
every file is the one that `advisor apply` writes (random weights, one random calibration image: neither the graph nor
the size depends on what images show).

| form | files | mean error | median | largest | within 2 % | 80 % interval covers |
|---|---:|---:|---:|---:|---:|---:|
{summary}

The last column: intervals set on one half of the networks, judged on the other half, both ways. Networks that no
rule of counting was written for and no figure is fitted to:

| form | files | mean error | median | largest | within 2 % | 80 % interval covers |
|---|---:|---:|---:|---:|---:|---:|
{judged}

## Where the bytes are

- **Weights** dominate. Batch norms are folded, buffers that no operation reads are dropped, position tables of at most
  8192 elements are replaced by the constant computed from them; larger ones stay as table and index (int64) in float
  files, while the preparation for int8 computes them too.
- **Float files**: nodes with the types of their outputs, and the names and shapes of stored tensors.
- **Static int8**: each tensor between two operations has a quantize and a dequantize node, a scale and a zero point,
  mostly names. A weight channel has a scale (4 bytes) and a zero point (1 byte); a bias channel 4 bytes of value, 4 of
  scale and a zero point. Constants added or multiplied are stored as bytes.
- **Dynamic int8**: each linear layer has nodes for the range, the rescaling and the bias.

Bytes by the fit (what is missing costs nothing that the fit can see):

| form | node | stored tensor | quantized tensor | integer weight | bias channel | once |
|---|---:|---:|---:|---:|---:|---:|
{costs}

Nothing is stored outside the file, and stack traces that exporters note are
removed.

The largest errors come from products with constants that the exporter writes as Einsum, which the quantizer leaves in
float (mvitv2_tiny): the plan takes them for bytes.

## Networks

Megabytes of the real file (1 MB = 1e6 bytes), and the error of the prediction.

| network | {head} |
|{rule}|
{lines}
"""


if __name__ == "__main__":
    main()
