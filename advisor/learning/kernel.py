"""The covariance of two measurements: levels that both belong to, times the likeness of their features.

A random-effects model seen from the measurements' side: the deviations of every level are Gaussian with a width of
their own, so log(ms) is a Gaussian process. Widths maximise the marginal likelihood (Rasmussen and Williams, 2006,
chapter 5).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky
from scipy.linalg.lapack import dpotrf, dpotri
from scipy.optimize import minimize

from advisor.prediction.pooled.levels import LEVELS, ONE, RATES

from .samples import Samples

Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]
_NARROWEST, _WIDEST = np.log(0.003), np.log(3.0)
_LEAST_NOISE = 0.03  # repeated measurements of one network on one device differ by this at least
# Constants of the widest groups are free: thousands of measurements tell them, nothing pulls them to zero.
_FREE = {"unit": 1.0, "detail": 1.0, "runtime": 0.7, "precision": 0.7, "way": 0.7, "runtime detail": 0.5, "class": 0.4,
         "metric": 0.4}  # fmt: skip
_START, _START_NOISE = np.log(0.15), np.log(0.08)


@dataclass(frozen=True)
class Term:
    """The deviations of one level on one kind of features; `keys` has -1 for rows outside the level."""

    level: str
    part: str
    keys: Codes  # (n,)
    names: list[str]  # of the keys
    features: Numbers  # (n, width)

    @property
    def label(self) -> str:
        """Level and part."""
        return f"{self.level}/{self.part}"

    def groups(self, rows: Codes) -> Iterator[Codes]:
        """Yield the places in `rows` of every group."""
        keys = self.keys[rows]
        order = np.argsort(keys, kind="stable")
        ends = np.flatnonzero(np.diff(keys[order])) + 1
        for places in np.split(order, ends):
            if keys[places[0]] >= 0:
                yield places

    def covariance(self, rows: Codes) -> NDArray[np.float32]:
        """Return the unscaled covariance of some rows."""
        out = np.zeros((len(rows), len(rows)), dtype=np.float32)
        for places in self.groups(rows):
            chosen = self.features[rows[places]]
            out[np.ix_(places, places)] = chosen @ chosen.T
        return out


def terms(data: Samples, parts: dict[str, Numbers]) -> list[Term]:
    """Return the terms of all levels that have more than one member somewhere."""
    found = []
    for level in LEVELS:
        named = [level.key(s, n, a.detail) for s, n, a in zip(data.setups, data.networks, data.amounts, strict=True)]
        index = {name: i for i, name in enumerate(sorted({name for name in named if name is not None}))}
        keys = np.array([-1 if name is None else index[name] for name in named], dtype=np.int64)
        found += [Term(level.name, part, keys, list(index), parts[part]) for part in level.parts]
    return found


def covariance(all_terms: list[Term], widths: Numbers, rows: Codes) -> Numbers:
    """Return the covariance of some rows without noise; `widths` are standard deviations by term."""
    out = np.zeros((len(rows), len(rows)))
    for term, width in zip(all_terms, widths, strict=True):
        for places in term.groups(rows):
            chosen = term.features[rows[places]] * width
            out[np.ix_(places, places)] += chosen @ chosen.T
    return out


def fitted_widths(
    all_terms: list[Term], y: Numbers, weights: Numbers, rows: Codes, steps: int
) -> tuple[Numbers, float]:
    """Return the widths of the terms and of the noise that make some rows most likely."""
    matrices = [term.covariance(rows) for term in all_terms]
    target, inverse_weight = y[rows], 1.0 / weights[rows]

    def objective(logs: Numbers) -> tuple[float, Numbers]:
        variances = np.exp(2 * logs)
        total = np.zeros((len(rows), len(rows)))
        for matrix, variance in zip(matrices, variances[:-1], strict=True):
            total += variance * matrix
        total[np.diag_indices(len(rows))] += variances[-1] * inverse_weight
        factor = cholesky(total, lower=True, check_finite=False)
        value = np.log(np.diag(factor)).sum()
        alpha = cho_solve((factor, True), target, check_finite=False)
        inverse = _inverse_of(factor)
        value += 0.5 * target @ alpha
        # Widths that nothing speaks for fall to zero; a weak pull keeps them from wandering.
        value += 0.02 * float(((logs - _START) ** 2).sum())
        inverse = (inverse - np.outer(alpha, alpha)).astype(np.float32)
        slope = np.array([
            *(v * float(np.vdot(inverse, m)) for m, v in zip(matrices, variances[:-1], strict=True)),
            variances[-1] * float(np.diag(inverse) @ inverse_weight),
        ])  # fmt: skip
        return float(value), slope + 0.04 * (logs - _START)

    limits = [*[_bounds(term) for term in all_terms], (np.log(_LEAST_NOISE), _WIDEST)]
    start = np.clip([*[_START] * len(all_terms), _START_NOISE], *np.array(limits).T)
    found = minimize(
        objective, start, jac=True, method="L-BFGS-B", bounds=limits,
        options={"maxiter": steps},
    )  # fmt: skip
    return np.exp(found.x[:-1]), float(np.exp(found.x[-1]))


def _bounds(term: Term) -> tuple[float, float]:
    """Few devices tell how figures of a descriptor act, so these may not run away."""
    if term.part == ONE and term.level in _FREE:
        return (float(np.log(_FREE[term.level])), float(_WIDEST))
    return (_NARROWEST, np.log(0.4) if term.part == RATES else _WIDEST)


def inverted(matrix: Numbers) -> Numbers:
    """Invert a covariance in place of a general inverse: a third of the work."""
    factor, failed = dpotrf(matrix, lower=1, clean=0, overwrite_a=1)
    if failed:
        raise ValueError("the covariance is not positive definite")
    return _inverse_of(factor)


def _inverse_of(factor: Numbers) -> Numbers:
    """Return the inverse of a covariance from its lower Cholesky factor, which is overwritten."""
    lower = np.tril(dpotri(factor, lower=1, overwrite_c=1)[0])
    inverse: Numbers = lower + np.tril(lower, -1).T
    return inverse


def left_out(inverse: Numbers, alpha: Numbers, y: Numbers, groups: list[Codes]) -> Numbers:
    """Return what each row's prediction would be had its group not been measured (exact for fixed widths).

    The block form of leave-one-out (Rasmussen and Williams, 2006, eq. 5.12): y - inverse[B, B]^-1 alpha[B].
    """
    predicted = np.full(len(y), np.nan)
    for rows in groups:
        predicted[rows] = y[rows] - np.linalg.solve(inverse[np.ix_(rows, rows)], alpha[rows])
    return predicted
