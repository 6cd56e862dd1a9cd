"""Errors of the pooled accuracy model on results that it had not seen, by what remained known; groups of residuals.

Widths and weights stay those of the whole fit; the results themselves are left out (`kernel.left_out`, exact for fixed
widths). Residuals count by network and toolkit, not by row, so that no grid decides how wide everybody's interval is.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.prediction.accuracies.case import Case
from advisor.prediction.accuracies.spread import (
    ELSEWHERE,
    KIT,
    LEVELS,
    NETWORK,
    NEW,
    OWN,
    Spread,
    circumstances,
)

from .accuracy_fit import Fit
from .held_out import codes, rows_by
from .kernel import left_out

Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]
_ENOUGH, _NETWORKS = 25, 5  # residuals and networks from which a group speaks for itself
_GRID = 5.0  # results per network from which a toolkit's results are a grid, bad settings included
_FEW = 12  # networks below which that says something
_BLOCK = 1600  # results that one question may leave out


@dataclass(frozen=True)
class HeldOut:
    """One support: rows, and what was predicted for them (bent points)."""

    support: str
    rows: Codes
    predicted: Numbers


def grids(cases: Sequence[Case]) -> frozenset[str]:
    """Return the toolkits whose results are grids: many settings on few networks."""
    rows, networks = Counter(c.toolkit for c in cases), defaultdict(set)
    for case in cases:
        networks[case.toolkit].add(case.network.body)
    return frozenset(k for k, n in rows.items() if k and n / len(networks[k]) >= _GRID and len(networks[k]) < _FEW)


def held_out(found: Fit) -> list[HeldOut]:
    """Return the predictions of every support that the results can show."""
    cases = found.cases
    body = codes((c.network.body, c.task) for c in cases)
    name = codes(c.network.body for c in cases)
    kit = codes(c.toolkit for c in cases)
    cell = codes((c.network.body, c.task, c.toolkit, c.recipe) for c in cases)
    pair = codes(zip(name.tolist(), kit.tolist(), strict=True))
    again = np.bincount(cell)[cell] > 1
    elsewhere = _members(body, kit) > 1
    others = _members(kit, name) > 1
    answers = [
        HeldOut(OWN, *_asked(found, [np.array([i]) for i in range(len(cases))], again)),
        HeldOut(NETWORK, *_asked(found, rows_by(pair), elsewhere & others)),
        HeldOut(KIT, *_asked(found, rows_by(name), others)),
        HeldOut(ELSEWHERE, *_asked(found, rows_by(kit), elsewhere)),
        HeldOut(NEW, *_both(found, name, kit)),
    ]
    return [item for item in answers if len(item.rows)]


def by_group(found: Fit, groups: Iterable[Hashable]) -> Numbers:
    """Return what is predicted for every row while its group is left out, in bent points."""
    every = np.ones(len(found.cases), dtype=bool)
    return _asked(found, rows_by(codes(groups)), every)[1]


def _asked(found: Fit, groups: list[Codes], asked: Mask) -> tuple[Codes, Numbers]:
    some = [g for g in groups if asked[g].any()]
    predicted = left_out(found.inverse, found.alpha, found.y, some) + found.base
    rows = np.flatnonzero(asked & ~np.isnan(predicted))
    return rows, predicted[rows]


def _both(found: Fit, name: Codes, kit: Codes) -> tuple[Codes, Numbers]:
    """Leave out a network and a toolkit at once, and ask for what both share."""
    rows: list[int] = []
    predicted: list[float] = []
    for a, b in np.unique(np.stack([name, kit], axis=1), axis=0):
        out = np.flatnonzero((name == a) | (kit == b))
        if len(out) > _BLOCK:
            continue
        inside = np.flatnonzero((name[out] == a) & (kit[out] == b))
        block = np.linalg.solve(found.inverse[np.ix_(out, out)], found.alpha[out])
        rows += out[inside].tolist()
        predicted += (found.y[out] - block + found.base[out])[inside].tolist()
    return np.array(rows, dtype=np.int64), np.array(predicted)


def spreads(found: Fit, item: HeldOut, sweeps: frozenset[str], rows: Mask | None = None) -> dict[str, Spread]:
    """Return the residuals by circumstances; `rows` restricts which results they come from."""
    truth = found.y + found.base
    parts: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(item.rows):
        if rows is None or rows[row]:
            case = found.cases[row]
            for name in circumstances(case, float(item.predicted[place]), case.toolkit in sweeps):
                parts[name].append(place)
    result = {}
    for name, places in sorted(parts.items()):
        chosen = item.rows[places]
        owners = Counter((found.cases[r].network.body, found.cases[r].toolkit) for r in chosen)
        networks = len({body for body, _ in owners})
        if name and (len(places) < _ENOUGH or networks < _NETWORKS):
            continue
        # A question near published ones is one of their rows; any other is about a network of its own.
        by_row = item.support == OWN
        weights = np.array(
            [1 / (1 if by_row else owners[found.cases[r].network.body, found.cases[r].toolkit]) for r in chosen]
        )
        quantiles = _quantiles(truth[chosen] - item.predicted[places], weights, len(places) if by_row else networks)
        result[name] = Spread(quantiles, len(places), networks)
    return result


def _quantiles(values: Numbers, weights: Numbers, independent: int) -> Numbers:
    """Return weighted quantiles, ends outwards: n independent values leave 1 / (n + 1) to what was not seen."""
    order = np.argsort(values, kind="stable")
    ranks = np.cumsum(weights[order]) - 0.5 * weights[order]
    shares = (LEVELS - 0.5) * (1 + 1 / max(independent, 2)) + 0.5
    return np.round(np.interp(shares, ranks / weights.sum(), values[order]), 4)


def _members(groups: Codes, members: Codes) -> Codes:
    """Return by row how many different members the row's group has."""
    unique = np.unique(np.stack([groups, members]), axis=1)[0]
    names, counts = np.unique(unique, return_counts=True)
    return counts[np.searchsorted(names, groups)]
