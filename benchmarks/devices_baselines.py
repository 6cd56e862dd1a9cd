"""What simpler predictors reach on the same measurements: MACs alone, the datasheet roofline, a forest on sums."""

import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import GroupKFold

from advisor.learning.base import usual_rates
from advisor.learning.held_out import body_of
from advisor.learning.samples import Samples
from advisor.prediction.pooled.design import costs, traits
from advisor.prediction.pooled.setup import covariates

FOLDS = 8
TREES = 60


def baselines(data: Samples) -> list[tuple[str, np.ndarray]]:
    """Return log(true / predicted) by predictor and by what was left out."""
    networks = np.unique([body_of(n) for n in data.networks], return_inverse=True)[1]
    devices = np.unique([s.device for s in data.setups], return_inverse=True)[1]
    ways = [(s.runtime, s.precision) for s in data.setups]
    setups = coded([(way, s.device, s.threads) for way, s in zip(ways, data.setups, strict=True)])
    classes = coded([(way, s.unit_class) for way, s in zip(ways, data.setups, strict=True)])
    usual = usual_rates(data)
    nominal = np.array([costs(s, a, usual) for s, a in zip(data.setups, data.amounts, strict=True)])
    macs = np.log(np.maximum([a.macs for a in data.amounts], 1e5))
    arithmetic = nominal[:, :7].sum(axis=1) + nominal[:, 13]
    transfer = nominal[:, 7:11].sum(axis=1) + nominal[:, 14:].sum(axis=1)
    per_peak = np.log(np.maximum(arithmetic, 1e-9))
    roofline = np.log(np.maximum(np.maximum(arithmetic, transfer), 1e-9))
    out = [
        ("MACs alone, speed of the setup; network left out", scaled(data.y, macs, setups, networks)),
        ("MACs over the peak, efficiency of the class; device left out", scaled(data.y, per_peak, classes, devices)),
        ("datasheet roofline, nothing fitted", data.y - roofline),
    ]
    table = np.hstack([
        np.log(nominal + 1e-6), np.array([traits(a) for a in data.amounts]),
        np.array([covariates(s, usual) for s in data.setups]), classes[:, None],
    ])  # fmt: skip
    for label, groups in (("network left out", networks), ("device left out", devices)):
        out.append((f"forest on the same features; {label}", forest(table, data.y, groups)))
    return [(label, errors[~np.isnan(errors)]) for label, errors in out]


def coded(keys: list[tuple]) -> np.ndarray:
    """Return a number for each different key."""
    return np.unique([repr(key) for key in keys], return_inverse=True)[1]


def scaled(y: np.ndarray, x: np.ndarray, within: np.ndarray, left_out: np.ndarray) -> np.ndarray:
    """Return errors of y = x + a constant of the group `within`, fitted without the group `left_out`."""
    errors = np.full(len(y), np.nan)
    for group in np.unique(within):
        rows = np.flatnonzero(within == group)
        for one in np.unique(left_out[rows]):
            others = rows[left_out[rows] != one]
            if len(others) >= 3:
                mine = rows[left_out[rows] == one]
                errors[mine] = y[mine] - x[mine] - np.median(y[others] - x[others])
    return errors


def forest(table: np.ndarray, y: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return errors of a random forest on log(ms), groups left out in folds."""
    errors = np.full(len(y), np.nan)
    for train, test in GroupKFold(min(FOLDS, len(np.unique(groups)))).split(table, groups=groups):
        model = RandomForestRegressor(TREES, min_samples_leaf=2, max_features=0.5, n_jobs=2, random_state=0)
        errors[test] = y[test] - model.fit(table[train], y[train]).predict(table[test])
    return errors
