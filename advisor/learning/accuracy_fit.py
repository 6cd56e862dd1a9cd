"""Fit the pooled accuracy model of one branch: deviations of named levels, and what alike cases have in common.

A Gaussian random-effects model as for latencies (`kernel.py`), on bent points (`levels.bent`): a family, a toolkit or a
setting that a single network speaks for is drawn to the middle of the level above. A grid of 300 settings on one
network is 300 measurements of the settings and one of the network: results count by network, not by row.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.prediction.accuracies.alike import Likeness
from advisor.prediction.accuracies.case import Case
from advisor.prediction.accuracies.levels import bent, usual

from .accuracy_kernel import Term, Widths, covariance, fitted, likeness, terms_of, widths_from
from .kernel import inverted

Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]
_MOST = 1400  # results from which the widths are fitted
_MOST_OF_KIT = 350  # of them, from one toolkit: a grid on four networks is not three quarters of the world
_STEPS = 40
_FAR = 3.0  # noise widths beyond which a result counts less


@dataclass(frozen=True)
class Fit:
    """A fitted branch: everything that predictions and their judgement need."""

    branch: str
    cases: Sequence[Case]
    y: Numbers  # bent points less the usual ones
    base: Numbers
    terms: tuple[Term, ...]
    widths: Widths
    like: Likeness
    inverse: Numbers
    alpha: Numbers


def fit(branch: str, cases: Sequence[Case], deltas: Sequence[float], known: Mapping[str, float] | None = None) -> Fit:
    """Fit widths (unless `known` has them, by name) and deviations."""
    base = np.array([usual(case, branch) for case in cases])
    y = np.array([bent(delta) for delta in deltas]) - base
    terms = terms_of(branch, cases)
    if (widths := widths_from(known or {}, terms)) is None:
        new = fitted(branch, cases, terms, y, some_rows(cases), _STEPS)
        widths = widths_from(new.named(terms), terms) or new  # as rounded as the next fit will find them
    like = likeness(branch, cases, widths)
    shared = covariance(terms, widths, like)
    weights = np.ones(len(cases))
    inverse, alpha = _solved(shared, widths.noise, y, weights)
    # Student's way with outliers: what lies far from all the rest is believed less, once.
    far = np.abs(alpha / np.diag(inverse)) / (widths.noise * _FAR + 0.3)
    weights = weights / np.maximum(far, 1.0)
    inverse, alpha = _solved(shared, widths.noise, y, weights)
    return Fit(branch, cases, y, base, terms, widths, like, inverse, alpha)


def _solved(shared: Numbers, noise: float, y: Numbers, weights: Numbers) -> tuple[Numbers, Numbers]:
    total = shared.copy()
    total[np.diag_indices(len(y))] += noise**2 / weights
    inverse = inverted(total)
    return inverse, inverse @ y


def some_rows(cases: Sequence[Case]) -> Codes:
    """Return results for the widths, at random, no toolkit with more than its share."""
    order = np.random.default_rng(1).permutation(len(cases))
    taken: dict[str, int] = defaultdict(int)
    chosen = []
    for row in order:
        kit = cases[row].toolkit
        taken[kit] += 1
        if taken[kit] <= _MOST_OF_KIT:
            chosen.append(row)
    return np.sort(np.array(chosen[:_MOST], dtype=np.int64))


def deviations(found: Fit) -> dict[str, dict[str, dict[str, list[float]]]]:
    """Return the deviations of all groups by level, part and key: width^2 x features' alpha."""
    out: dict[str, dict[str, dict[str, list[float]]]] = {}
    for term, width in zip(found.terms, found.widths.terms, strict=True):
        out.setdefault(term.level, {})[term.part] = {
            name: [round(float(v), 4) for v in width**2 * (found.alpha[members] @ term.features[members])]
            for name, members in zip(term.names, term.members, strict=True)
        }
    return out
