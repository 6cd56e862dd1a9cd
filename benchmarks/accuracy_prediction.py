"""Predicted against published accuracies, each without its network or its source: docs/accuracy-prediction.md.

python benchmarks/accuracy_prediction.py            (about three minutes)
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from accuracy_judging import Judged, architecture, combined, itself, judged, order, source

from advisor.learning.accuracy_fit import fit
from advisor.learning.accuracy_store import known_widths, results
from advisor.prediction.accuracies.answer import AT_RISK, RUINOUS
from advisor.prediction.accuracies.store import store_path
from advisor.writing import write_text

_PAGE = Path(__file__).parent.parent / "docs" / "accuracy-prediction.md"
_Slice = Callable[[Judged], bool]


def _technique(name: str, *, trained: str = "", grid: bool | None = None, tokens: bool = False) -> _Slice:
    return lambda j: (
        j.case.technique == name and j.case.trained.startswith(trained or j.case.trained) and j.case.tokens == tokens
        and grid in (None, j.grid)
    )  # fmt: skip


def _int8(task: str, grid: bool | None) -> _Slice:
    return lambda j: j.case.recipe == "ptq_static w8a8" and j.case.task == task and grid in (None, j.grid)


SLICES: dict[str, _Slice] = {
    "int8 PTQ, classification, toolkits": _int8("classification", False),
    "int8 PTQ, classification, grids": _int8("classification", True),
    "int8 PTQ, detection": _int8("detection", None),
    "int8 PTQ, segmentation": _int8("segmentation", None),
    "PTQ below 8 bits": lambda j: j.case.technique == "ptq_static" and j.case.bits not in ("w8a8", "w8a16"),
    "PTQ, 8-bit weights, 16-bit activations": lambda j: j.case.recipe == "ptq_static w8a16",
    "QAT": _technique("qat"),
    "weights only": _technique("weight_only"),
    "structured pruning, trained": _technique("prune_structured", trained="1"),
    "structured pruning, trained jointly or from scratch": lambda j: (
        j.case.technique == "prune_structured" and j.case.trained in ("joint", "scratch")
    ),
    "structured pruning, untrained": _technique("prune_structured", trained="0"),
    "token reduction": lambda j: j.case.technique == "prune_structured" and j.case.tokens,
    "sparsity": _technique("prune_unstructured"),
    "low rank, trained": _technique("low_rank", trained="1"),
    "low rank, untrained": _technique("low_rank", trained="0"),
    "distillation": lambda j: j.case.technique == "distill",
    "fp16": _technique("fp16"),
    "combinations, as sums of their parts": lambda j: j.case.technique == "combo",
}


def main() -> None:
    """Judge and write the page."""
    known = known_widths(store_path())
    fits = {
        name: (fit(name, cases, [float(r.delta) for r in rows], known.get(name)), rows)
        for name, (rows, cases) in results().items()
    }
    lines = [_HEAD]
    for title, group in (
        ("Without its network", architecture),
        ("Without its source", source),
        ("Without itself alone", itself),
    ):
        items = [item for found, rows in fits.values() for item in judged(found, rows, group)] + combined(fits, group)
        lines += [f"## {title}\n", *_table(items), *_failures(items), *_order(items)]
    write_text(_PAGE, "\n".join(lines) + "\n")
    print("\n".join(lines))


def _table(items: Sequence[Judged]) -> list[str]:
    out = [
        "Mean absolute error in points; `by network`: every network counts once, whatever the number of its rows.\n",
        "| results | rows | networks | MAE | by network | in 80 % interval | median width | family median "
        "| recipe median | zero |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, inside in SLICES.items():
        some = [item for item in items if inside(item)]
        if not some:
            continue
        errors = np.array([abs(j.mid - j.truth) for j in some])
        bodies = [j.case.network.body for j in some]
        covered = np.mean([j.low - 0.005 <= j.truth <= j.high + 0.005 for j in some])
        width = np.median([j.high - j.low for j in some])
        others = [np.mean([abs(of(j) - j.truth) for j in some]) for of in (_family, _middle, _zero)]
        medians = " | ".join(f"{other:.2f}" for other in others)
        out.append(f"| {name} | {len(some)} | {len(set(bodies))} | {errors.mean():.2f} | {_by(bodies, errors):.2f} "
                   f"| {covered:.0%} | {width:.1f} | {medians} |")  # fmt: skip
    return [*out, ""]


def _family(item: Judged) -> float:
    return item.family


def _middle(item: Judged) -> float:
    return item.middle


def _zero(item: Judged) -> float:
    return 0.0


def _by(bodies: Sequence[str], values: np.ndarray) -> float:
    groups: dict[str, list[float]] = defaultdict(list)
    for body, value in zip(bodies, values, strict=True):
        groups[body].append(float(value))
    return float(np.mean([np.mean(found) for found in groups.values()]))


def _failures(items: Sequence[Judged]) -> list[str]:
    """Say how many losses over 5 points were flagged beforehand."""
    out = [
        f"Losses of more than {RUINOUS:g} points, flagged where their probability is at least the bound; the shipped "
        f"bound is {AT_RISK:g}, chosen on the results outside grids without their network.\n",
        "| results | lost | bound | flagged | false alarms | flagged, by network | false alarms, by network |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    quantized = ("ptq_static", "ptq_dynamic", "qat", "weight_only", "mixed_precision")
    slices: dict[str, _Slice] = {
        "all": lambda j: True,
        "all but grids": lambda j: not j.grid,
        "quantization, toolkits": lambda j: j.case.technique in quantized and not j.grid,
        "pruning, sparsity and low rank": lambda j: j.case.technique.startswith(("prune", "low")),
    }
    for name, inside in slices.items():
        some = [item for item in items if inside(item)]
        lost = np.array([j.truth < -RUINOUS for j in some])
        risk = np.array([j.over_5 for j in some])
        bodies = np.array([j.case.network.body for j in some])
        for bound in (AT_RISK, 2 * AT_RISK):
            flagged = (risk >= bound).astype(float)
            rows = [flagged[lost].mean(), flagged[~lost].mean()]
            networks = [_by(bodies[some_].tolist(), flagged[some_]) for some_ in (lost, ~lost)]
            shares = " | ".join(f"{share:.0%}" for share in (*rows, *networks))
            out.append(f"| {name} | {lost.sum()} | {bound:g} | {shares} |")
    return [*out, ""]


def _order(items: Sequence[Judged]) -> list[str]:
    whole, few = order(items), order([item for item in items if not item.grid])
    return [
        "Two recipes on one network of one source, at least 0.2 points apart: the predicted order is the published one "
        f"for {whole.model:.0%} of {whole.pairs} pairs of recipes (family median: {whole.family:.0%}), without grids "
        f"for {few.model:.0%} of {few.pairs} ({few.family:.0%}).\n",
    ]  # fmt: skip


_HEAD = """\
# Predicting accuracy

Written by `python benchmarks/accuracy_prediction.py`; do not edit.

What a technique costs in points is predicted from published results before and after
(`knowledge/evidence/accuracy.csv.gz`), by Gaussian random effects over named levels (recipe, bits, kind, family,
toolkit, setting, network) and by likeness of whole cases; see `advisor/learning/accuracy_fit.py`. Here every result
is predicted without all results of its network, then of its source, then without itself alone. Widths of the levels
are those of the fit to all results (a few dozen numbers); intervals come from the networks of the other half, so
that no result helps to set the width it is judged by. Grids are sources with many settings on few networks, bad
ones on purpose; toolkits are all others. Baselines: the median of the same family and recipe, of the same recipe,
and zero, each without the group. Combinations were never fitted: their parts are predicted and added.

What falls short: on a network that no grid has tried, a grid's ruinous settings cannot be told from its good ones
(classification, grids; below 8 bits); a network's first untrained pruning or factorization is off by tens of
points; a new source's QAT and distillation are predicted no better than by a median. Where results of the same
network and toolkit are at hand ("Without itself alone"), most of this is gone.
"""


if __name__ == "__main__":
    main()
