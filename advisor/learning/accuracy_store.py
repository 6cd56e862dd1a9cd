"""`make fit`: fit the pooled accuracy model to the shipped evidence and write it with its provenance.

Byte for byte the same for the same evidence and widths: rows in the order of the file, numbers rounded, no time stamp.
`--new-widths` finds widths and weights anew (minutes); otherwise those of the file are kept.
"""

import argparse
import gzip
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from advisor.prediction.accuracies.alike import COLUMNS
from advisor.prediction.accuracies.case import Case, case_of
from advisor.prediction.accuracies.levels import DISTIL, HALF, LOW_RANK, PRUNE, QUANTIZE, branch_of
from advisor.prediction.accuracies.store import store_path
from advisor.writing import write_bytes

from .accuracies import Compared, read_accuracies
from .accuracy_fit import Fit, deviations, fit
from .accuracy_held_out import grids, held_out, spreads

BRANCHES = (QUANTIZE, PRUNE, LOW_RANK, DISTIL, HALF)
# Errors, not scores: less is better, and a point of them is not a point.
_ERRORS = ("RMSE", "MAE_degrees", "AbsRel", "EPE")
_NOTHING = 0.004  # bent points below which a deviation changes no answer by more than it rounds


def results(rows: Sequence[Compared] | None = None) -> dict[str, tuple[list[Compared], list[Case]]]:
    """Return the published results by branch, with what each asks; combinations are judged, not fitted."""
    found: dict[str, tuple[list[Compared], list[Case]]] = {name: ([], []) for name in BRANCHES}
    for row in rows if rows is not None else read_accuracies():
        case = case_of(asdict(row))
        branch = branch_of(case)
        if branch and row.metric not in _ERRORS:
            found[branch][0].append(row)
            found[branch][1].append(case)
    return found


def main(arguments: list[str] | None = None) -> None:
    """Fit all branches and write the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--new-widths", action="store_true", help="fit widths and weights anew, not only deviations")
    parser.add_argument("--out", type=Path, default=None, help="where to write, the shipped model by default")
    options = parser.parse_args(arguments)
    known = {} if options.new_widths else known_widths(store_path())
    branches: dict[str, Any] = {}
    sources: Counter[str] = Counter()
    for name, (rows, cases) in results().items():
        start = time.monotonic()
        with threadpool_limits(1):  # sums in another order round otherwise: the same bytes on every machine
            found = fit(name, cases, [float(row.delta) for row in rows], known.get(name))
            branches[name] = described(found, rows)
        sources.update(row.source for row in rows)
        print(f"{name}: {len(rows)} results, {time.monotonic() - start:.0f} s", flush=True)
    content = {"provenance": provenance(sources), "branches": branches}
    text = json.dumps(content, separators=(",", ":"), sort_keys=True)
    write_bytes(options.out or store_path(), gzip.compress(text.encode(), 9, mtime=0))


def known_widths(path: Path) -> dict[str, dict[str, float]]:
    """Return the widths of a model fitted before, by branch."""
    if not path.is_file():
        return {}
    branches = json.loads(gzip.decompress(path.read_bytes()))["branches"]
    return {name: content["widths"] for name, content in branches.items()}


def described(found: Fit, rows: Sequence[Compared]) -> dict[str, Any]:
    """Return one branch as the file holds it."""
    texts = [sorted(column, key=lambda text, c=column: c[text]) for column in found.like.index]  # type: ignore[misc]
    assert len(texts) == len(COLUMNS)
    sweeps = grids(found.cases)
    alpha = found.widths.alike**2 * found.alpha
    return {
        "deviations": _kept(deviations(found)),
        "texts": texts,
        "codes": found.like.codes.T.tolist(),
        "place": [round(float(v), 3) for v in found.like.place],
        "weights": [round(float(v), 4) for v in found.like.weights],
        "bell": round(found.like.bell, 4),
        "alpha": [round(float(v), 4) for v in alpha],
        "rows": [
            [c.network.body, r.source, c.toolkit, c.recipe, c.task, float(r.delta)]
            for r, c in zip(rows, found.cases, strict=True)
        ],
        "spreads": {
            item.support: {
                group: [spread.quantiles.tolist(), spread.n, spread.networks]
                for group, spread in spreads(found, item, sweeps).items()
            }
            for item in held_out(found)
        },
        "sweeps": sorted(sweeps),
        "widths": found.widths.named(found.terms),
        "n": len(rows),
    }


def _kept(found: Mapping[str, Mapping[str, Mapping[str, list[float]]]]) -> dict[str, Any]:
    return {
        level: {
            part: {key: v for key, v in keys.items() if max(abs(x) for x in v) >= _NOTHING}
            for part, keys in parts.items()
        }
        for level, parts in found.items()
    }


def provenance(sources: Mapping[str, int]) -> dict[str, Any]:
    """Return the sources with the number of results of each."""
    return {
        "evidence": "knowledge/evidence/accuracy.csv.gz; sources in knowledge/evidence/sources.csv",
        "method": "Gaussian random effects over named levels, and likeness of cases (advisor/learning/accuracy_fit.py)",
        "sources": dict(sorted(sources.items())),
    }


if __name__ == "__main__":
    main()
