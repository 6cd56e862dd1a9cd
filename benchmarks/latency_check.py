"""Compare predicted with published latencies: median error, share inside the 80 % interval, and ratios on one path.

    python benchmarks/latency_check.py FOLDER

The efficiencies were fitted to most of these rows (fit_efficiency.py prints the errors of networks and devices that a
fit had not seen); rows of runtimes without a fit are a test of the assumed figures.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from evidence_rows import Row, rows, x86_rows

from advisor.prediction.latency import predict_latency
from advisor.prediction.rates import entry_of
from advisor.prediction.ratio import gain
from advisor.schema import Metric

FLOATS = ("fp32", "fp16", "bf16")


def absolute(found: list[Row]) -> None:
    """Print the error of milliseconds by entry and precision."""
    errors: dict[tuple[str, str], list[float]] = defaultdict(list)
    inside: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for row in found:
        estimate, entry = predict_latency(row.query), entry_of(row.query)
        if estimate is None or entry is None:
            continue
        key = entry.id, row.precision
        errors[key].append(estimate.mid / row.ms)
        inside[key].append(estimate.low <= row.ms <= estimate.high)
    print(
        f"{'entry':24s} {'precision':15s} {'rows':>5s} {'error':>7s} {'p10..p90 of predicted / published':>36s} "
        f"{'inside':>7s}"
    )
    for key in sorted(errors):
        ratio = np.array(errors[key])
        low, high = np.quantile(ratio, [0.1, 0.9])
        print(f"{key[0]:24s} {key[1]:15s} {len(ratio):5d} {np.median(np.abs(ratio - 1)):7.1%} "
              f"{low:27.2f}..{high:.2f} {np.mean(inside[key]):12.0%}")  # fmt: skip
    everything = [x for values in inside.values() for x in values]
    print(f"{len(everything)} rows, {np.mean(everything):.0%} inside the interval\n")


def ratios(found: list[Row]) -> None:
    """Print the error of ratios of two arithmetics that share device, runtime, threads, network and source."""
    paired: dict[tuple[str, ...], dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in found:
        plan = row.query.plan
        paired[row.device, plan.runtime, plan.unit, str(plan.threads), row.model, row.source][row.precision].append(row)
    results: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for forms in paired.values():
        base = next((forms[p] for p in FLOATS if p in forms), None)
        for precision, group in forms.items():
            if base is None or group is base:
                continue
            left, right = base[0].query, group[0].query
            a, b = predict_latency(left), predict_latency(right)
            if a is None or b is None:
                continue
            predicted = gain(Metric.LATENCY, left, right, a, b)
            published = np.median([r.ms for r in base]) / np.median([r.ms for r in group])
            entry = entry_of(right)
            key = f"{entry.id if entry else '':24s} {precision}"
            results[key].append((predicted.mid / published, predicted.low <= published <= predicted.high))
    print("ratio of float to this precision, same path")
    for key in sorted(results):
        ratio = np.array([r for r, _ in results[key]])
        low, high = np.quantile(ratio, [0.1, 0.9])
        print(f"{key:40s} {len(ratio):4d} {np.median(np.abs(ratio - 1)):7.1%} {low:10.2f}..{high:.2f} "
              f"{np.mean([x for _, x in results[key]]):8.0%}")  # fmt: skip
    every = [x for values in results.values() for _, x in values]
    logs = np.abs(np.log([r for values in results.values() for r, _ in values]))
    print(
        f"{len(every)} pairs, {np.mean(every):.0%} inside; 80 % of the ratios are within a factor "
        f"{np.exp(np.quantile(logs, 0.8)):.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evidence", type=Path, help="folder with latency.csv.gz, device_alias.csv, ncnn_workloads.csv")
    found = [*x86_rows(), *rows(parser.parse_args().evidence)]
    absolute(found)
    ratios(found)


if __name__ == "__main__":
    main()
