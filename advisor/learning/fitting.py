"""Fit the pooled latency model of one kind of unit and judge it on what it had not seen."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.prediction.pooled.design import TRAITS, features
from advisor.prediction.pooled.setup import Rates

from .base import base_factors, factors_of, usual_rates
from .kernel import Term, covariance, fitted_widths, inverted, terms
from .samples import Samples

Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]
WAVES = 40
_STRETCH = 0.7  # frequency of the smooth part per unit of a trait
_MOST = 2400  # measurements from which the widths are fitted
_STEPS = 60
_FAR = 3.0  # noise widths beyond which a measurement counts less


@dataclass(frozen=True)
class Fit:
    """A fitted model: everything that predictions and their judgement need."""

    data: Samples
    usual: dict[str, Rates]
    factors: dict[str, list[float]]
    waves: Numbers
    terms: list[Term]
    widths: Numbers
    noise: float
    residual: Numbers  # y less the base
    base: Numbers
    weights: Numbers
    inverse: Numbers
    alpha: Numbers


def waves_for(unit: str) -> Numbers:
    """Return frequencies and phases of the smooth part, the same for every fit of a unit."""
    rng = np.random.default_rng(sum(unit.encode()))
    drawn = np.vstack([rng.normal(0, _STRETCH, (TRAITS, WAVES)), rng.uniform(0, 2 * np.pi, (1, WAVES))])
    return np.asarray(np.round(drawn, 4), dtype=np.float64)


def fit(data: Samples, known: Mapping[str, float] | None = None) -> Fit:
    """Fit factors, widths (unless `known` has them all, by label and "noise") and deviations."""
    unit = data.setups[0].unit
    usual = usual_rates(data)
    factors, waves = base_factors(data, usual), waves_for(unit)
    found = features(data.setups, data.amounts, usual, factors_of(factors, [s.way for s in data.setups]), waves)
    residual = data.y - found.base
    all_terms = terms(data, found.parts)
    weights = np.sqrt(data.repeats)
    labels = [term.label for term in all_terms]
    if known is not None and {*labels, "noise"} <= set(known):
        widths = np.array([known[label] for label in labels]), known["noise"]
    else:
        widths = fitted_widths(all_terms, residual, weights, some_rows(data), _STEPS)
    inverse, alpha = _solved(all_terms, widths, residual, weights)
    # Student's way with outliers: what lies far from all the rest is believed less, once.
    far = np.abs(alpha / np.diag(inverse)) / (widths[1] / np.sqrt(weights) * _FAR + 0.1)
    weights = weights / np.maximum(far, 1.0) ** 2
    inverse, alpha = _solved(all_terms, widths, residual, weights)
    return Fit(
        data, usual, factors, waves, all_terms, widths[0], widths[1], residual, found.base, weights, inverse, alpha
    )


def _solved(
    all_terms: list[Term], widths: tuple[Numbers, float], residual: Numbers, weights: Numbers
) -> tuple[Numbers, Numbers]:
    total = covariance(all_terms, widths[0], np.arange(len(residual)))
    total[np.diag_indices(len(residual))] += widths[1] ** 2 / weights
    inverse = inverted(total)
    return inverse, inverse @ residual


def some_rows(data: Samples) -> Codes:
    """Return measurements for the widths, at random: devices and networks cross, and most networks are there."""
    return np.sort(np.random.default_rng(1).permutation(len(data))[:_MOST])


def deviations(found: Fit) -> dict[str, dict[str, dict[str, list[float]]]]:
    """Return the deviations of all groups by level, part and key: width^2 x features' alpha."""
    out: dict[str, dict[str, dict[str, list[float]]]] = {}
    for term, width in zip(found.terms, found.widths, strict=True):
        sums = np.zeros((len(term.names), term.features.shape[1]))
        inside = term.keys >= 0
        np.add.at(sums, term.keys[inside], term.features[inside] * found.alpha[inside, None])
        sums *= width**2
        out.setdefault(term.level, {})[term.part] = {
            name: [round(float(v), 4) for v in values] for name, values in zip(term.names, sums, strict=True)
        }
    return out
