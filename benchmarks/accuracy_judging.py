"""Held-out predictions of accuracies and three baselines, for `accuracy_prediction.py`."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from advisor.learning.accuracies import Compared, read_accuracies
from advisor.learning.accuracy_fit import Fit
from advisor.learning.accuracy_held_out import HeldOut, by_group, grids, spreads
from advisor.learning.accuracy_kernel import covariance, likeness, terms_of
from advisor.prediction.accuracies.answer import RUINOUS
from advisor.prediction.accuracies.case import Case, case_of, components
from advisor.prediction.accuracies.levels import bent, branch_of, unbent, usual
from advisor.prediction.accuracies.spread import (
    ELSEWHERE,
    KIT,
    NEW,
    OWN,
    added,
    circumstances,
    losing,
    span,
    spread_for,
)

Numbers = NDArray[np.float64]
_LEAST_APART = 0.2  # points between two published changes from which their order means something


@dataclass(frozen=True)
class Judged:
    """One published result and what was predicted for it without its group."""

    row: Compared
    case: Case
    grid: bool
    truth: float
    low: float
    mid: float
    high: float
    over_5: float
    family: float  # median of the same family and recipe outside the group
    middle: float  # median of the same recipe outside the group


def architecture(row: Compared, case: Case) -> Hashable:
    """Group by network."""
    return case.network.body


def source(row: Compared, case: Case) -> Hashable:
    """Group by source: its toolkit goes with it."""
    return row.source


def itself(row: Compared, case: Case) -> Hashable:
    """Group by result: all others of its network and source stay."""
    return row


def judged(found: Fit, rows: Sequence[Compared], group: Callable[[Compared, Case], Hashable]) -> list[Judged]:
    """Return every result of a branch predicted without its group.

    Intervals come from the networks of the other half: no result helps to set the width that it is judged by.
    """
    cases, groups = found.cases, [group(r, c) for r, c in zip(rows, found.cases, strict=True)]
    predicted = by_group(found, groups)
    sweeps = grids(cases)
    half = np.array([_half(case) for case in cases])
    everything = np.arange(len(cases))
    support = {architecture: KIT, itself: OWN}.get(group, ELSEWHERE)
    item = HeldOut(support, everything, predicted)
    sides = [spreads(found, item, sweeps, half == side) for side in (0, 1)]
    families, middles = _medians(cases, rows, groups)
    result = []
    for i, (row, case) in enumerate(zip(rows, cases, strict=True)):
        least = -case.baseline if case.baseline else -100.0
        at = max(float(predicted[i]), bent(least))
        spread = spread_for(sides[1 - half[i]], circumstances(case, at, case.toolkit in sweeps))
        outcomes = spread.points(at, least)
        low, mid, high = span(outcomes, unbent(at))
        result.append(Judged(row, case, case.toolkit in sweeps, float(row.delta), low, mid, high,
                             losing(outcomes, RUINOUS, spread.networks), families[i], middles[i]))  # fmt: skip
    return result


def _half(case: Case) -> int:
    return int(hashlib.sha256(case.network.body.encode()).hexdigest(), 16) % 2


def _medians(
    cases: Sequence[Case], rows: Sequence[Compared], groups: Sequence[Hashable]
) -> tuple[list[float], list[float]]:
    """Return the medians of family and recipe, and of the recipe alone, over results outside each result's group."""
    truth = np.array([float(row.delta) for row in rows])
    owner = np.array([hash(group) for group in groups])
    recipe = np.array([case.recipe for case in cases])
    family = np.array([case.network.family or case.network.head for case in cases])
    families, middles = [], []
    for i in range(len(cases)):
        same = (recipe == recipe[i]) & (owner != owner[i])
        kin = same & (family == family[i])
        middle = float(np.median(truth[same])) if same.any() else 0.0
        middles.append(middle)
        families.append(float(np.median(truth[kin])) if kin.any() else middle)
    return families, middles


def combined(
    fits: dict[str, tuple[Fit, Sequence[Compared]]], group: Callable[[Compared, Case], Hashable]
) -> list[Judged]:
    """Return the published combinations predicted as sums of their parts, each part without the result's group."""
    rows = [row for row in read_accuracies() if row.technique == "combo"]
    result = []
    parts: dict[str, list[tuple[int, Case]]] = defaultdict(list)
    for i, row in enumerate(rows):
        steps = components(case_of(asdict(row)), row.setting)
        steps = [s for s in steps if s.technique != "distill"] or steps
        for step in steps:
            parts[branch_of(step) or ""].append((i, step))
    outcomes: dict[int, list[tuple[float, Numbers, int]]] = defaultdict(list)
    for name, asked in parts.items():
        found, known = fits[name]
        for (i, _), answer in zip(asked, _new(found, known, rows, asked, group), strict=True):
            outcomes[i].append(answer)
    for i, answers in sorted(outcomes.items()):
        total = answers[0][1]
        for _, more, _ in answers[1:]:
            total = added(total, more)
        low, mid, high = span(total, sum(mid for mid, _, _ in answers))
        case, networks = case_of(asdict(rows[i])), min(n for _, _, n in answers)
        risk = losing(total, RUINOUS, networks)
        result.append(Judged(rows[i], case, False, float(rows[i].delta), low, mid, high, risk, 0.0, 0.0))  # fmt: skip
    others = [float(r.delta) for r in rows]
    return [replace(item, family=float(np.median(others)), middle=float(np.median(others))) for item in result]


def _new(
    found: Fit, known: Sequence[Compared], rows: Sequence[Compared], asked: Sequence[tuple[int, Case]],
    group: Callable[[Compared, Case], Hashable],
) -> Iterator[tuple[float, Numbers, int]]:  # fmt: skip
    """Yield middle, outcomes and networks for cases that were never fitted, without the results of their group."""
    n = len(found.cases)
    every = [*found.cases, *(case for _, case in asked)]
    shared = covariance(terms_of(found.branch, every), found.widths, likeness(found.branch, every, found.widths))[
        n:, :n
    ]
    owner = np.array([hash(group(r, c)) for r, c in zip(known, found.cases, strict=True)])
    sweeps = grids(found.cases)
    item = HeldOut(NEW, np.arange(n), by_group(found, owner.tolist()))
    groups = spreads(found, item, sweeps)
    for k, (i, case) in enumerate(asked):
        out, stay = (
            np.flatnonzero(mask) for mask in (owner == hash(group(rows[i], case)), owner != hash(group(rows[i], case)))
        )
        alpha = found.alpha[stay]
        if len(out):
            alpha = alpha - found.inverse[np.ix_(stay, out)] @ np.linalg.solve(
                found.inverse[np.ix_(out, out)], found.alpha[out]
            )
        predicted = float(shared[k, stay] @ alpha) + usual(case, found.branch)
        spread = spread_for(groups, circumstances(case, predicted, case.toolkit in sweeps))
        least = -case.baseline if case.baseline else -100.0
        yield max(unbent(predicted), least), spread.points(predicted, least), spread.networks


@dataclass(frozen=True)
class Order:
    """How often the predicted order of two recipes on one network of one source is the published one."""

    pairs: int
    model: float
    family: float


def order(items: Sequence[Judged]) -> Order:
    """Compare all pairs of different recipes on one network, data set and metric of one source."""
    places: dict[tuple[str, ...], list[Judged]] = defaultdict(list)
    for item in items:
        places[item.row.source, item.case.network.body, item.row.dataset, item.row.metric].append(item)
    by_pair: dict[tuple[object, ...], list[tuple[float, float]]] = defaultdict(list)
    for place, members in places.items():
        for a, b in combinations(members, 2):
            apart = a.truth - b.truth
            if (a.case.recipe, a.row.setting) != (b.case.recipe, b.row.setting) and abs(apart) >= _LEAST_APART:
                key = (place, *sorted((a.case.recipe, b.case.recipe)))
                by_pair[key].append((_right(a.mid - b.mid, apart), _right(a.family - b.family, apart)))
    # A grid's thousands of pairs on one network count once for every pair of recipes.
    model = [np.mean([right for right, _ in found]) for found in by_pair.values()]
    family = [np.mean([right for _, right in found]) for found in by_pair.values()]
    return Order(len(by_pair), float(np.mean(model)), float(np.mean(family)))


def _right(predicted: float, published: float) -> float:
    """Return 1 for the right order, 0 for the wrong one, a half where none is predicted."""
    return 0.5 * (1 + float(np.sign(predicted * published)))
