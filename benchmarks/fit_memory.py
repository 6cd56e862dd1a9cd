"""Fit the model's part of peak memory: resident MB above the runtime's baseline = w x weights + a x live activations.

    python benchmarks/fit_memory.py

Reads knowledge/prediction/measured_memory.csv (own measurement of 2026-11-23, one process per variant, batch 1,
224x224) and prints the figures of knowledge/prediction/memory.yaml. Errors are relative: small networks count alike.
"""

import csv
from collections import defaultdict

import numpy as np
from evidence_rows import profiled
from scipy.optimize import nnls

from advisor.prediction.fusion import fuse
from advisor.prediction.storage import stored_bytes
from advisor.profiling import peak_activation_bytes
from advisor.resources import data_dir
from advisor.schema import Workload
from advisor.techniques.static_int8.preview import preview as preview_static
from advisor.techniques.static_int8.step import StaticInt8


def after(original: Workload, variant: str) -> Workload:
    if variant in ("u8s8", "int8"):
        return preview_static(StaticInt8(signedness="u8s8"), original)
    return original


def main() -> None:
    samples: dict[str, list[tuple[str, str, float, float, float]]] = defaultdict(list)
    with (data_dir("knowledge") / "prediction" / "measured_memory.csv").open() as file:
        for record in csv.DictReader(file):
            original = profiled(f"timm:{record['model']}", "1x3x224x224")
            assert original is not None
            for column in list(record)[1:]:
                runtime, variant = column.split(" ")
                workload = after(original, variant)
                live = peak_activation_bytes(fuse(workload, runtime)) / 1e6
                weights = stored_bytes(workload.weights) / 1e6
                samples[runtime].append((record["model"], variant, weights, live, float(record[column])))
    for runtime, found in samples.items():
        numbers = np.array([row[2:] for row in found])
        columns = np.column_stack([numbers[:, 0], numbers[:, 1], np.ones(len(found))])
        figures, _ = nnls(columns / numbers[:, 2:], np.ones(len(found)))
        ratio = numbers[:, 2] / (columns @ figures)
        low, high = np.quantile(ratio, [0.1, 0.9])
        print(f"{runtime}: weights x {figures[0]:.2f}, activations x {figures[1]:.2f}, fixed {figures[2]:.1f} MB; "
              f"median error {np.median(np.abs(ratio - 1)):.0%}, 80 % of measured / predicted {low:.2f}..{high:.2f}, "
              f"n={len(found)}")  # fmt: skip
        for (model, variant, weights, live, measured), r in zip(found, ratio, strict=True):
            print(
                f"   {model:30s} {variant:8s} weights {weights:6.1f} live {live:5.2f} measured {measured:5.0f} "
                f"ratio {r:.2f}"
            )


if __name__ == "__main__":
    main()
