"""`make fit`: how much longer one precision takes than another, from networks that were measured in both side by side.

Where a runtime was never measured in two precisions with one network, the pooled model cannot tell what is due to the
precision and what to the networks; these steps of the other runtimes on that kind of unit stand in.
"""

from collections import defaultdict
from pathlib import Path

import numpy as np

from advisor.prediction.pooled.evidence import Measured, read_evidence
from advisor.resources import data_dir
from advisor.writing import write_text

_FEWEST = 20  # networks on devices below which no step is stated
_HEAD = """\
# Time in one precision over that in another, by kind of unit: tenth percentile, middle, ninetieth, number of networks
# on devices that were measured in both with one runtime. Written by `python -m advisor.learning.steps`; do not edit.
# Source: knowledge/evidence/latency.csv.gz.
"""


def steps(rows: list[Measured]) -> dict[str, dict[str, tuple[float, float, float, int]]]:
    """Return by unit and 'fp16/int8' what the slower of two precisions costs; each network on a device counts once."""
    times: dict[tuple[str, ...], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        where = (row.unit, row.runtime, row.device, row.network, row.input, row.threads, row.batch)
        times[where][row.precision].append(float(row.ms))
    ratios: dict[tuple[str, str], list[float]] = defaultdict(list)
    for place, found in times.items():
        for over in found:
            for under in found:
                if over and under and over != under:
                    ratios[place[0], f"{over}/{under}"].append(float(np.median(found[over]) / np.median(found[under])))
    result: dict[str, dict[str, tuple[float, float, float, int]]] = defaultdict(dict)
    for (unit, pair), values in sorted(ratios.items()):
        if len(values) >= _FEWEST:
            low, mid, high = (round(float(q), 3) for q in np.quantile(values, (0.1, 0.5, 0.9)))
            result[unit][pair] = (low, mid, high, len(values))
    return result


def main(path: Path | None = None) -> None:
    """Write `knowledge/prediction/precision_steps.yaml`."""
    lines = [_HEAD]
    for unit, pairs in steps(read_evidence()).items():
        lines.append(f"{unit}:\n")
        lines += [f"  {pair}: [{low}, {mid}, {high}, {n}]\n" for pair, (low, mid, high, n) in pairs.items()]
    write_text(path or data_dir("knowledge") / "prediction" / "precision_steps.yaml", "".join(lines))


if __name__ == "__main__":
    main()
