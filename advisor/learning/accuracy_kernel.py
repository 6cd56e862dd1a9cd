"""The covariance of two published results: levels that both belong to, and how alike they are as a whole.

Widths of the levels and weights of the likeness maximise the marginal likelihood (Rasmussen and Williams, 2006,
chapter 5), with the gradient in closed form.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky
from scipy.optimize import minimize

from advisor.prediction.accuracies.alike import COLUMNS, REMOVED, Likeness, coded, properties, removed
from advisor.prediction.accuracies.case import Case
from advisor.prediction.accuracies.levels import LEVELS, features

from .kernel import inverted

Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]
_START, _START_ALIKE, _START_NOISE = np.log(0.2), np.log(0.5), np.log(0.3)
_LIMITS, _WEIGHT_LIMITS = (np.log(0.01), np.log(3.0)), (np.log(0.01), np.log(5.0))
_START_WEIGHT = np.log(0.4)
_LEAST_NOISE = np.log(0.12)  # rounding to a tenth of a point and some thousand test images differ by this at least
ALIKE, NOISE = "alike", "noise"


@dataclass(frozen=True)
class Term:
    """The deviations of one level on one part; a row belongs to several groups where a level has several keys."""

    level: str
    part: str
    members: tuple[Codes, ...]  # rows of each group
    names: tuple[str, ...]  # of the groups
    features: Numbers  # (n, width)

    @property
    def label(self) -> str:
        """Level and part."""
        return f"{self.level}/{self.part}"

    def covariance(self, rows: Codes) -> Numbers:
        """Return the unscaled covariance of some rows."""
        place = np.full(len(self.features), -1, dtype=np.int64)
        place[rows] = np.arange(len(rows))
        out = np.zeros((len(rows), len(rows)))
        for members in self.members:
            found = place[members]
            found = found[found >= 0]
            if len(found):
                chosen = self.features[rows[found]]
                out[np.ix_(found, found)] += chosen @ chosen.T
        return out


def terms_of(branch: str, cases: Sequence[Case]) -> tuple[Term, ...]:
    """Return the terms of a branch over these cases."""
    parts = [features(case, branch) for case in cases]
    found = []
    for level in LEVELS[branch]:
        groups: dict[str, list[int]] = defaultdict(list)
        for row, case in enumerate(cases):
            for key in level.keys(case):
                groups[key].append(row)
        names = tuple(sorted(groups))
        members = tuple(np.array(groups[name], dtype=np.int64) for name in names)
        found += [
            Term(level.name, part, members, names, np.array([p[part] for p in parts], dtype=np.float64))
            for part in level.parts
        ]
    return tuple(found)


@dataclass(frozen=True)
class Widths:
    """What the likelihood decides: standard deviations of the terms, of the likeness and of the noise, and weights."""

    terms: Numbers
    alike: float
    noise: float
    weights: Numbers  # (columns,)
    bell: float

    def named(self, terms: Sequence[Term]) -> dict[str, float]:
        """Return all of them by name, rounded as the file holds them."""
        numbers = {t.label: w for t, w in zip(terms, self.terms, strict=True)}
        weights = {f"{ALIKE}/{c}": w for c, w in zip(COLUMNS, self.weights, strict=True)}
        whole = {**numbers, ALIKE: self.alike, NOISE: self.noise, **weights, f"{ALIKE}/{REMOVED}": self.bell}
        return {name: round(float(value), 4) for name, value in whole.items()}


def widths_from(named: Mapping[str, float], terms: Sequence[Term]) -> Widths | None:
    """Return widths that were fitted before; None where one is missing."""
    needed = [*(t.label for t in terms), ALIKE, NOISE, *(f"{ALIKE}/{c}" for c in (*COLUMNS, REMOVED))]
    if not {*needed} <= set(named):
        return None
    return Widths(
        np.array([named[t.label] for t in terms]), named[ALIKE], named[NOISE],
        np.array([named[f"{ALIKE}/{c}"] for c in COLUMNS]), named[f"{ALIKE}/{REMOVED}"],
    )  # fmt: skip


def likeness(branch: str, cases: Sequence[Case], widths: Widths) -> Likeness:
    """Return the cases as what others are compared with."""
    index, codes = coded([properties(case) for case in cases])
    place = np.array([removed(case, branch) for case in cases])
    return Likeness(index, codes, place, widths.weights, widths.bell)


def covariance(terms: Sequence[Term], widths: Widths, like: Likeness) -> Numbers:
    """Return the covariance of all rows without noise."""
    total = _alike(like.codes, like.place, widths.weights, widths.bell) * widths.alike**2
    for term, width in zip(terms, widths.terms, strict=True):
        for members in term.members:
            chosen = term.features[members] * width
            total[np.ix_(members, members)] += chosen @ chosen.T
    return total


def _alike(codes: NDArray[np.int32], place: Numbers, weights: Numbers, bell: float) -> Numbers:
    apart = bell * (place[:, None] - place[None]) ** 2
    for column, weight in enumerate(weights):
        apart += weight * (codes[:, None, column] != codes[None, :, column])
    return np.asarray(np.exp(-apart), dtype=np.float64)


def fitted(branch: str, cases: Sequence[Case], terms: Sequence[Term], y: Numbers, rows: Codes, steps: int) -> Widths:
    """Return what makes some rows most likely."""
    matrices = [term.covariance(rows).astype(np.float32) for term in terms]
    _, codes = coded([properties(cases[row]) for row in rows])
    place = np.array([removed(cases[row], branch) for row in rows])
    apart = [*((codes[:, None, c] != codes[None, :, c]) for c in range(codes.shape[1])),
             (place[:, None] - place[None]) ** 2]  # fmt: skip
    apart = [matrix.astype(np.float32) for matrix in apart]
    varied = [c for c, matrix in enumerate(apart) if matrix.any()]
    target, n, m = y[rows], len(rows), len(terms)
    start = np.array([*[_START] * m, _START_ALIKE, _START_NOISE, *[_START_WEIGHT] * len(varied)])

    def objective(logs: Numbers) -> tuple[float, Numbers]:
        variances, weights = np.exp(2 * logs[: m + 2]), np.exp(logs[m + 2 :])
        distance = np.zeros((n, n), dtype=np.float32)
        for weight, column in zip(weights, varied, strict=True):
            distance += np.float32(weight) * apart[column]
        alike = np.exp(-distance) * np.float32(variances[m])
        total = alike.astype(np.float64)
        for matrix, variance in zip(matrices, variances[:m], strict=True):
            total += variance * matrix
        total[np.diag_indices(n)] += variances[m + 1]
        factor = cholesky(total, lower=True, check_finite=False)
        alpha = cho_solve((factor, True), target, check_finite=False)
        value = np.log(np.diag(factor)).sum() + 0.5 * target @ alpha
        pulled = float((((logs - start) ** 2).sum()) * 0.03)  # keeps what nothing speaks for from wandering
        slope_matrix = (inverted(total) - np.outer(alpha, alpha)).astype(np.float32)
        weighted = slope_matrix * alike
        slope = np.array([
            *(v * float(np.vdot(slope_matrix, x)) for x, v in zip(matrices, variances[:m], strict=True)),
            float(weighted.sum(dtype=np.float64)),
            variances[m + 1] * float(np.trace(slope_matrix)),
            *(-0.5 * w * float(np.vdot(weighted, apart[c])) for w, c in zip(weights, varied, strict=True)),
        ])  # fmt: skip
        return float(value) + pulled, slope + 0.06 * (logs - start)

    limits = [*[_LIMITS] * (m + 1), (_LEAST_NOISE, _LIMITS[1]), *[_WEIGHT_LIMITS] * len(varied)]
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=limits, options={"maxiter": steps}).x
    every = np.full(len(apart), np.exp(_START_WEIGHT))
    every[varied] = np.exp(found[m + 2 :])
    return Widths(np.exp(found[:m]), float(np.exp(found[m])), float(np.exp(found[m + 1])), every[:-1], float(every[-1]))
