"""The page of predictions with and without a probe."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from advisor.prediction.accuracies.answer import AT_RISK, RUINOUS
from advisor.prediction.probed import updated
from advisor.schema import Estimate, Probed, ProbeRecord
from advisor.writing import write_text

ROOT = Path(__file__).resolve().parents[1]
ROWS = ROOT / "build" / "probe_accuracy.jsonl"
PAGE = ROOT / "docs" / "accuracy-probe.md"
Row = dict[str, Any]
LEAST = 50.0  # percent top-1 of a network that is trained well enough to lose something
_PTQ = ("int8", "int8, per tensor, powers of two")
SLICES: dict[str, Callable[[Row], bool]] = {
    "int8 after training": lambda row: row["plan"] in _PTQ,
    "4-bit weights": lambda row: row["plan"] == "4-bit weights",
    "pruned, untrained, int8": lambda row: "untrained" in row["plan"],
    "trained (pruned + int8, low rank)": lambda row: row["trained"],
    "all": lambda row: True,
}
_WAYS = {"before": "no probe", "unlabelled": "probe, no labels", "probed": "probe, labels"}
_PREDICTED = tuple(_WAYS)
_HEAD = """# What a probe adds to predicted accuracies

Written by `python -m benchmarks.probe_accuracy [FOLDER]`. Do not edit.

{networks} networks, {rows} results: small networks of many families trained on noisy digits, and two for CIFAR-10 where
FOLDER is given. Predicted: `recommend`'s estimate before and after a probe. Measured: the plan carried out as `apply`
does, on 2160 test images or more. A trained plan has the same epochs in the probe; where the judging images had to be
taken from those for training, it has fewer of these than later.

The shares and spreads of `knowledge/prediction/probe.yaml` were chosen in view of these results.
"""
_KINDS = {
    False: "Judged by images for validation, which no training had seen",
    True: "Judged by images taken from those that the network was trained on",
}


def write_page() -> None:
    """Write the page from the rows that there are."""
    rows = [predicted(json.loads(line)) for line in ROWS.read_text(encoding="utf-8").splitlines()]
    probed = [row for row in rows if row["probe"] is not None and row["original"] >= LEAST]
    networks = {row["network"] for row in probed}
    lines = [_HEAD.format(networks=len(networks), rows=len(probed))]
    for seen, title in _KINDS.items():
        some = [row for row in probed if row["seen"] == seen]
        if some:
            counts = [row["probe"]["images"] for row in some]
            lines += [f"## {title} ({min(counts)} to {max(counts)})\n", *_table(some), *_failures(some), *_all(some)]
    write_text(PAGE, "\n".join(lines) + "\n")


def predicted(row: Row) -> Row:
    """Return the row with the prediction of every way as low, middle, high and the risk of losing over 5 points."""
    before = Estimate.model_validate(row["before"])
    row |= {"before": _four(before), "seen": row.get("seen", True)}
    if row["probe"] is None:
        return row
    seen = Probed.model_validate(row["probe"])
    unlabelled = seen.model_copy(update={"delta": None, "standard_error": None, "low": None, "high": None})
    for way, found in (("probed", seen), ("unlabelled", unlabelled)):
        probe = ProbeRecord(budget_s=0, runtime="onnxruntime", seen=row["seen"], probed=(found,))
        row |= {way: _four(updated(before, found, probe, "onnxruntime"))}
    return row


def _four(estimate: Estimate) -> tuple[float, float, float, float]:
    risk = next((p for event, p in estimate.risks.items() if " 5 " in event), 0.0)
    return estimate.low, estimate.mid, estimate.high, risk


def _table(rows: Sequence[Row]) -> list[str]:
    out = [
        "Mean absolute error in points, and how many results lie in the 80 % interval; a result counts as inside where "
        "its own standard error reaches the interval.\n",
        "| plans | results | " + " | ".join(f"{_WAYS[way]}: MAE | inside" for way in _PREDICTED) + " | zero: MAE |",
        "|---|---:|" + "---:|---:|" * 3 + "---:|",
    ]  # fmt: skip
    for name, inside in SLICES.items():
        some = [row for row in rows if inside(row)]
        cells = []
        for way in _PREDICTED:
            errors = [abs(row[way][1] - row["truth"]) for row in some]
            held = [
                row[way][0] - row["truth_error"] <= row["truth"] <= row[way][2] + row["truth_error"] for row in some
            ]
            cells.append(f"{np.mean(errors):.2f} | {np.mean(held):.0%}")
        zero = np.mean([abs(row["truth"]) for row in some])
        out.append(f"| {name} | {len(some)} | {' | '.join(cells)} | {zero:.2f} |")
    return [*out, ""]


def _failures(rows: Sequence[Row]) -> list[str]:
    lost = [row for row in rows if row["truth"] < -RUINOUS]
    kept = [row for row in rows if row["truth"] >= -RUINOUS]
    out = [
        f"Losses of more than {RUINOUS:g} points, flagged where their probability is at least {AT_RISK:g}:\n",
        "| | lost | flagged | kept | false alarms |", "|---|---:|---:|---:|---:|",
    ]  # fmt: skip
    for way in _PREDICTED:
        flagged = np.mean([row[way][3] >= AT_RISK for row in lost]) if lost else 0.0
        alarms = np.mean([row[way][3] >= AT_RISK for row in kept]) if kept else 0.0
        out.append(f"| {_WAYS[way]} | {len(lost)} | {flagged:.0%} | {len(kept)} | {alarms:.0%} |")
    return [*out, ""]


def _all(rows: Sequence[Row]) -> list[str]:
    out = ["| network | top-1 | plan | measured | no probe | probe, no labels | probe, labels |",
           "|---|---:|---|---:|---:|---:|---:|"]  # fmt: skip
    for row in rows:
        cells = " | ".join(_span(row[way]) for way in _PREDICTED)
        out.append(f"| {row['network']} | {row['original']:.1f} | {row['plan']} | {row['truth']:+.2f} | {cells} |")
    return [*out, ""]


def _span(found: Sequence[float]) -> str:
    return f"{found[1]:+.2f} ({found[0]:+.1f} to {found[2]:+.1f})"
