"""`make fit`: fit the pooled latency model to the shipped evidence and write it with its provenance."""

import argparse
import gzip
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from advisor.prediction.pooled.evidence import Measured, read_evidence
from advisor.prediction.pooled.store import store_path
from advisor.writing import write_bytes

from .fitting import Fit, deviations, fit
from .held_out import HeldOut, corrected, held_out, intervals
from .samples import AmountsOf, samples

# Levels whose keys tell what was measured (answer.support_of).
_ANCHORS = frozenset({"way", "class", "setup", "device", "device precision", "network way", "network device"})
_NOTHING = 0.002  # deviations below change no prediction by more than they round


def main(arguments: list[str] | None = None) -> None:
    """Fit all kinds of units and write the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--new-widths", action="store_true", help="fit the widths of the levels anew, not only deviations"
    )
    parser.add_argument("--out", type=Path, default=None, help="where to write, the shipped model by default")
    options = parser.parse_args(arguments)
    rows = read_evidence()
    amounts_of = AmountsOf(rows)
    guess = [round(float(v), 4) for v in amounts_of.guess]
    known = {} if options.new_widths else known_widths(store_path())
    content: dict[str, Any] = {"provenance": provenance(rows), "guess": guess, "units": {}}
    for unit, data in samples(rows, amounts_of).items():
        start = time.monotonic()
        found = fit(data, known.get(unit))
        errors = held_out(found)
        content["units"][unit] = described(found, errors)
        print(f"{unit}: {len(data)} setups x networks, {time.monotonic() - start:.0f} s", flush=True)
        for item in (corrected(data, item) for item in errors):
            wrong = np.abs(np.expm1(-item.errors))
            print(f"  {item.support:16} n={len(item.rows):5} median error {np.median(wrong):.3f}, "
                  f"within 10 %: {np.mean(wrong < 0.1):.2f}, within 25 %: {np.mean(wrong < 0.25):.2f}")  # fmt: skip
    text = json.dumps(content, separators=(",", ":"), sort_keys=True)
    write_bytes(options.out or store_path(), gzip.compress(text.encode(), 9, mtime=0))


def known_widths(path: Path) -> dict[str, dict[str, float]]:
    """Return the widths of a model fitted before, by unit and term; finding them takes most of the time of a fit."""
    if not path.is_file():
        return {}
    units = json.loads(gzip.decompress(path.read_bytes()))["units"]
    return {unit: {**content["widths"], "noise": content["noise"]} for unit, content in units.items()}


def described(found: Fit, errors: list[HeldOut]) -> dict[str, Any]:
    """Return one unit's model as the file holds it."""
    kept = {
        level: {
            part: {key: v for key, v in keys.items() if max(abs(x) for x in v) >= _NOTHING or _anchors(level, part)}
            for part, keys in parts.items()
        }
        for level, parts in deviations(found).items()
    }
    return {
        "usual": {name: [rates.gmacs, rates.gbs] for name, rates in found.usual.items()},
        "factors": found.factors,
        "waves": found.waves.tolist(),
        "deviations": kept,
        "intervals": intervals(found.data, errors),
        "widths": {t.label: round(float(w), 4) for t, w in zip(found.terms, found.widths, strict=True)},
        "noise": round(found.noise, 4),
        "n": len(found.data),
    }


def _anchors(level: str, part: str) -> bool:
    """Whether the presence of a key tells that its group was measured (see answer.support_of)."""
    return part == "one" and level in _ANCHORS


def provenance(rows: list[Measured]) -> dict[str, Any]:
    """Return the sources with the number of measurements of each."""
    return {
        "evidence": "knowledge/evidence/latency.csv.gz; sources in knowledge/evidence/sources.csv",
        "method": "Gaussian random effects over levels of setups and networks (advisor/learning)",
        "sources": dict(sorted(Counter(row.source for row in rows).items())),
    }


if __name__ == "__main__":
    main()
