"""The factors that a runtime, unit and precision put on the nominal costs, before any deviation of a group."""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from advisor.prediction.pooled.design import WIDTH, costs
from advisor.prediction.pooled.setup import Rates
from advisor.prediction.pooled.store import WHOLE

from .samples import Samples

Numbers = NDArray[np.float64]
_WIDTH_UNIT, _WIDTH_WAY = 2.0, 0.7  # prior widths: of a unit's factors around 1, of a way's around its unit's
_ERROR = 0.2  # beyond it an error counts linearly


def base_factors(data: Samples, usual: Mapping[str, Rates]) -> dict[str, list[float]]:
    """Return logarithms by way ('ncnn|cpu|int8') and for the whole unit, each of ALL_COLUMNS.

    Each setup may have a speed of its own: only what differs between networks within a setup is fitted.
    """
    nominal = np.array([costs(s, a, usual) for s, a in zip(data.setups, data.amounts, strict=True)])
    ways = np.array([s.way for s in data.setups])
    inside = np.unique([f"{s.device}|{s.way}|{s.threads}" for s in data.setups], return_inverse=True)[1]
    rng = np.random.default_rng(0)
    some = rng.permutation(len(data))[:4000]
    whole = _fit(nominal[some], data.y[some], inside[some], np.zeros(WIDTH), _WIDTH_UNIT)
    found = {WHOLE: whole}
    for way in np.unique(ways):
        rows = np.flatnonzero(ways == way)
        found[str(way)] = _fit(nominal[rows], data.y[rows], inside[rows], whole, _WIDTH_WAY)
    return {name: [round(float(v), 4) for v in values] for name, values in found.items()}


def usual_rates(data: Samples) -> dict[str, Rates]:
    """Return the median rates by class of unit, and by kind of unit for classes of which no member states any."""
    peaks, bandwidths = defaultdict(set), defaultdict(set)
    for setup in data.setups:
        for name in (setup.unit_class, setup.unit):
            if setup.gmacs:
                peaks[name].add((setup.device, setup.gmacs / setup.step))
            if setup.gbs:
                bandwidths[name].add((setup.device, setup.gbs))
    unit = data.setups[0].unit
    whole = Rates(_median(peaks[unit], 100.0), _median(bandwidths[unit], 10.0))
    names = {setup.unit_class for setup in data.setups}
    by_class = {n: Rates(_median(peaks[n], whole.gmacs), _median(bandwidths[n], whole.gbs)) for n in sorted(names)}
    return {unit: whole, **by_class}


def _median(values: set[tuple[str, float]], otherwise: float) -> float:
    return float(f"{np.median([value for _, value in values]):.4g}") if values else otherwise


def factors_of(found: dict[str, list[float]], setup_ways: list[str]) -> Numbers:
    """Return the factors of every row, those of the unit where the way was never measured."""
    return np.array([found.get(way, found[WHOLE]) for way in setup_ways])


def _fit(nominal: Numbers, y: Numbers, inside: NDArray[np.int64], prior: Numbers, width: float) -> Numbers:
    groups = np.unique(inside, return_inverse=True)[1]
    counts = np.bincount(groups)

    def residuals(logs: Numbers) -> Numbers:
        error = np.log(nominal @ np.exp(logs)) - y
        # Robust: the error is bent before the setup's own speed is taken out.
        centred = error - (np.bincount(groups, error) / counts)[groups]
        bent = np.sign(centred) * _ERROR * np.sqrt(2 * (np.sqrt(1 + (centred / _ERROR) ** 2) - 1))
        return np.concatenate([bent / _ERROR, (logs - prior) / width])

    logs: Numbers = least_squares(residuals, prior, max_nfev=40).x
    # The level is free so far: put it where half of the rows lie on each side.
    middle = float(np.median(y - np.log(nominal @ np.exp(logs))))
    return logs + middle
