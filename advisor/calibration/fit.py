"""Fitting the cost of every class of operation: non-negative least squares of relative errors.

Single operations and whole networks are fitted together. Networks count most, since they are what is asked for; single
operations keep the classes apart. Errors are relative, so that a small network weighs as much as a large one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.schema.calibration import QUANTITIES, Cost, CostTable

from .collect import Sample
from .rows import Row, group_of_class, network_rows, operation_rows

Numbers = NDArray[np.float64]
_WIDTH = len(QUANTITIES)
_OPERATION_WEIGHT = 0.1  # of one operation's relative error against one network's
_NETWORK_WEIGHT = 5.0  # of a real network against a stack or block
_SMALL_MS = 0.02  # operations below this count by their absolute error: the profiler's clock ticks in microseconds
_RIDGE = 1e-4  # pull towards zero in units of a column's own norm; decides only what no sample tells


@dataclass(frozen=True)
class Equations:
    """Weighted normal equations, kept by family so that families can be left out."""

    names: tuple[str, ...]
    counts: dict[str, int]
    gram: dict[str, Numbers]
    right: dict[str, Numbers]
    block: int  # channels per block in the runtime's layout

    def without(self, family: str) -> tuple[Numbers, Numbers]:
        """Return the sums over all families but one ('' for all)."""
        kept = [name for name in self.gram if name != family]
        size = len(self.names) * _WIDTH + 1
        gram, right = np.zeros((size, size)), np.zeros(size)
        for name in kept:
            gram += self.gram[name]
            right += self.right[name]
        return gram, right


def equations(samples: Sequence[Sample]) -> Equations:
    """Set up the equations of samples taken with one thread."""
    single = [row for sample in samples for row in operation_rows(sample)]
    whole = network_rows(samples)
    names = tuple(dict.fromkeys(name for row in (*single, *whole) for name in row.classes))
    counts = dict.fromkeys(names, 0)
    for row in whole:
        for name in row.classes:
            counts[name] += 1
    weights = [_OPERATION_WEIGHT / (row.ms + _SMALL_MS) for row in single]
    weights += [_weight(sample) for sample in samples]
    gram: dict[str, Numbers] = {}
    right: dict[str, Numbers] = {}
    index = {name: i for i, name in enumerate(names)}
    for family, matrix, values in _by_family((*single, *whole), weights, index):
        gram[family], right[family] = matrix.T @ matrix, matrix.T @ values
    return Equations(names, counts, gram, right, samples[0].block)


def _weight(sample: Sample) -> float:
    real = sample.probe == sample.family
    return (_NETWORK_WEIGHT if real else 1.0) / sample.ms


def _by_family(
    rows: Sequence[Row], weights: Sequence[float], index: dict[str, int]
) -> Iterable[tuple[str, Numbers, Numbers]]:
    families: dict[str, list[int]] = {}
    for i, row in enumerate(rows):
        families.setdefault(row.family, []).append(i)
    for family, places in families.items():
        matrix = np.zeros((len(places), len(index) * _WIDTH + 1))
        for line, i in enumerate(places):
            matrix[line] = design(rows[i], index) * weights[i]
        yield family, matrix, np.array([rows[i].ms * weights[i] for i in places])


def design(row: Row, index: dict[str, int]) -> Numbers:
    """Return the quantities of a row by class; the last column is the constant of a whole network."""
    line = np.zeros((len(index), _WIDTH))
    known = [index.get(name, -1) for name in row.classes]
    for place, quantities in zip(known, row.quantities, strict=True):
        if place >= 0:
            line[place] += quantities
    return np.append(line.ravel(), float(len(row.classes) > 1))


def solve(gram: Numbers, right: Numbers) -> Numbers:
    """Return the non-negative coefficients of normal equations with a slight pull towards zero."""
    from scipy.optimize import nnls

    scale = np.sqrt(np.diag(gram))
    scale[scale == 0] = 1.0
    normal = gram / np.outer(scale, scale) + _RIDGE * np.eye(len(right))
    lower = np.linalg.cholesky(normal)
    found, _ = nnls(lower.T, np.linalg.solve(lower, right / scale), maxiter=30 * len(right))
    coefficients: Numbers = found / scale
    return coefficients


def fitted(system: Equations, leave_out: str = "") -> CostTable:
    """Return the costs with one thread, without a family if one is named; classes that only it has are left out."""
    gram, right = system.without(leave_out)
    coefficients = solve(gram, right)
    rows = coefficients[:-1].reshape(len(system.names), _WIDTH)
    seen = [bool(part.any()) for part in np.diag(gram)[:-1].reshape(len(system.names), _WIDTH)]
    costs = tuple(
        Cost(name=name, n=system.counts[name],
             **{quantity: float(f"{value:.5g}") for quantity, value in zip(QUANTITIES, row, strict=True)})
        for name, row, known in zip(system.names, rows, seen, strict=True) if known
    )  # fmt: skip
    return CostTable(threads=1, block=system.block, constant_ms=float(f"{coefficients[-1]:.5g}"), costs=costs)


def scaled_table(single: CostTable, samples: Sequence[Sample], threads: int, skip: str = "") -> CostTable:
    """Fit what more threads gain: one factor on the costs with one thread for each group of operations.

    Fewer figures than costs, since only whole networks are timed with several threads. `skip` leaves a family out.
    """
    from scipy.optimize import nnls

    kept = [s for s in samples if s.family != skip]
    rows = network_rows(kept)
    groups = sorted({_scaling(cost.name) for cost in single.costs})
    costs = {cost.name: np.array([getattr(cost, q) for q in QUANTITIES]) for cost in single.costs}
    matrix = np.zeros((len(rows), len(groups)))
    for line, row in enumerate(rows):
        for name, quantities in zip(row.classes, row.quantities, strict=True):
            if name in costs:
                matrix[line, groups.index(_scaling(name))] += float(quantities @ costs[name])
    weights = np.array([_weight(s) for s in kept])
    values = np.array([s.ms - single.constant_ms for s in kept])
    # Groups that weigh little are held near what all of them gain together.
    usual = float(np.median(values / np.maximum(matrix.sum(axis=1), 1e-9)))
    pull = np.sqrt(0.02 * len(rows)) * np.eye(len(groups))
    found, _ = nnls(np.vstack([matrix * weights[:, None], pull]),
                    np.concatenate([values * weights, usual * np.diag(pull)]))  # fmt: skip
    factor = dict(zip(groups, found, strict=True))
    scaled = tuple(
        cost.model_copy(update={q: float(f"{getattr(cost, q) * factor[_scaling(cost.name)]:.5g}") for q in QUANTITIES})
        for cost in single.costs
    )
    return CostTable(threads=threads, block=single.block, constant_ms=single.constant_ms, costs=scaled)


def _scaling(name: str) -> str:
    """Return what scales alike with threads: convolutions and products by arithmetic and kind, all else together."""
    group = group_of_class(name)
    if group in ("conv", "product"):
        kind = "depthwise" if "depthwise" in name else "pixel" if "pixel" in name or " row" in name else group
        return f"{kind} {name.rsplit(' ', 1)[-1]}"
    return group if group in ("activation", "softmax", "norm_layer", "elementwise") else "rest"
