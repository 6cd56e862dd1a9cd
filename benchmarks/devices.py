"""How well published devices are predicted: what a fit had not seen, by unit, class and precision; and choices.

    python benchmarks/devices.py [cpu gpu npu mcu]

Writes docs/latency-devices.md and docs/latency-devices.svg. Every error is one of measurements left out together with
what the heading names; the widths of the levels are those of the shipped model. Coverage is that of intervals from one
half of the devices (or networks) on the other half.
"""

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from devices_baselines import baselines
from devices_plot import plot
from sklearn.model_selection import GroupKFold

from advisor.learning.fit import known_widths
from advisor.learning.fitting import Fit, fit
from advisor.learning.held_out import HeldOut, body_of, corrected, held_out, interval
from advisor.learning.samples import samples
from advisor.prediction.pooled.answer import CLASS_SIBLINGS, EXPLAINED, SETUP, SIBLINGS
from advisor.prediction.pooled.evidence import read_evidence
from advisor.prediction.pooled.store import store_path

DOCS = Path(__file__).resolve().parent.parent / "docs"
FEWEST = 25
TIE = 1.02  # precisions whose times differ by less are one choice


def coverage(found: Fit, item: HeldOut) -> float:
    """Share of errors inside intervals that other devices and networks gave (two folds, by network)."""
    groups = np.unique([body_of(found.data.networks[row]) for row in item.rows], return_inverse=True)[1]
    if groups.max() < 1:
        return float("nan")
    inside = np.zeros(len(item.rows), dtype=bool)
    for train, test in GroupKFold(2).split(item.errors, groups=groups):
        low, _, high, _ = interval(item.errors[train])
        inside[test] = (np.log(low) <= item.errors[test]) & (item.errors[test] <= np.log(high))
    return float(inside.mean())


def row_of(label: str, errors: np.ndarray, covered: float | None = None) -> str:
    wrong = np.abs(np.expm1(-errors))
    inside = "" if covered is None or np.isnan(covered) else f"{covered:.0%}"
    return (f"| {label} | {len(errors)} | {np.median(wrong):.1%} | {np.mean(wrong < 0.1):.0%} | "
            f"{np.mean(wrong < 0.25):.0%} | {inside} |")  # fmt: skip


HEAD = "| | n | median error | within 10 % | within 25 % | inside 80 % interval |\n|---|---|---|---|---|---|"


def by_part(found: Fit, item: HeldOut) -> list[str]:
    """Return one line for each runtime, precision and detail with enough errors."""
    parts = defaultdict(list)
    for place, row in enumerate(item.rows):
        setup = found.data.setups[row]
        parts[f"{setup.runtime} {setup.precision}, {found.data.amounts[row].detail} known"].append(place)
    lines = []
    for label, places in sorted(parts.items(), key=lambda pair: -len(pair[1])):
        if len(places) >= FEWEST:
            part = HeldOut(item.support, item.rows[places], item.errors[places])
            lines.append(row_of(label, part.errors, coverage(found, part)))
    return lines


def by_class(found: Fit, item: HeldOut) -> list[str]:
    """Return one line for each class of unit with enough errors."""
    parts = defaultdict(list)
    for place, row in enumerate(item.rows):
        parts[found.data.setups[row].unit_class].append(place)
    kept = [(name, places) for name, places in sorted(parts.items()) if len(places) >= FEWEST]
    return [row_of(f"class {name}", item.errors[places]) for name, places in kept]


def decisions(found: Fit, item: HeldOut) -> tuple[int, float, float] | None:
    """Return how many choices of precision there were, the share chosen right and the mean loss by the wrong ones."""
    predicted = dict(zip(item.rows, found.data.y[item.rows] - item.errors, strict=True))
    cases = defaultdict(dict)
    for row in item.rows:
        s = found.data.setups[row]
        key = (s.device, s.runtime, s.threads, s.batch, s.metric, s.era, s.source, found.data.networks[row])
        cases[key][s.precision] = row
    right, regret = [], []
    for rows in cases.values():
        if len(rows) < 2:
            continue
        true = {p: found.data.y[row] for p, row in rows.items()}
        chosen = min(rows, key=lambda p: predicted[rows[p]])
        loss = float(np.exp(true[chosen] - min(true.values())))
        right.append(loss < TIE)
        regret.append(loss - 1)
    return (len(right), float(np.mean(right)), float(np.mean(regret))) if right else None


def main() -> None:
    wanted = sys.argv[1:]
    widths = known_widths(store_path())
    text = [
        "# Latency on published devices\n",
        "Written by `python benchmarks/devices.py`. Errors are those of measurements that were left out of the fit",
        "with all that each line names; intervals come from one half of the networks and are counted on the other.\n",
    ]
    drawn = []
    for unit, data in samples(read_evidence()).items():
        if wanted and unit not in wanted:
            continue
        found = fit(data, widths.get(unit))
        items = [corrected(data, item) for item in held_out(found)]
        text += [f"\n## {unit}: {len(data)} measurements of {len({s.device for s in data.setups})} devices\n", HEAD]
        text += [row_of(EXPLAINED[i.support], i.errors, coverage(found, i)) for i in items]
        text += ["\nBaselines, network left out (`setup` above) and device left out (`class siblings` above):\n", HEAD]
        text += [row_of(label, errors) for label, errors in baselines(data)]
        for item in items:
            if item.support in (SIBLINGS, SETUP, CLASS_SIBLINGS):
                text += [f"\n### {unit}: {EXPLAINED[item.support]}\n", HEAD]
                text += [*by_part(found, item), *by_class(found, item)]
                drawn.append((f"{unit}: {item.support}", item.errors))
        text += ["\nChoosing between measured precisions of one network in one setup:\n",
                 "| what was left out | choices | right | mean loss |", "|---|---|---|---|"]  # fmt: skip
        for item in items:
            made = decisions(found, item)
            if made is not None:
                text.append(f"| {item.support} | {made[0]} | {made[1]:.1%} | {made[2]:.1%} |")
        print("\n".join(text[-40:]), flush=True)
    plot(drawn, DOCS / "latency-devices.svg")
    text.append("\n![Distribution of errors](latency-devices.svg)")
    (DOCS / "latency-devices.md").write_text("\n".join(text) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
