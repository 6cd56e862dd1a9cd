"""The covariance of measurements, and errors on left-out ones, against refits without them."""

from dataclasses import replace

import numpy as np
import pytest

from advisor.learning import fitting
from advisor.learning.held_out import SETUP, held_out, interval, intervals
from advisor.learning.kernel import inverted, left_out
from advisor.learning.samples import Samples, samples
from advisor.prediction.pooled.evidence import read_evidence


@pytest.fixture(scope="module")
def few() -> Samples:
    """Measurements of four boards with ncnn."""
    boards = {"raspberry-pi-4b", "raspberry-pi-5", "rk3588", "jetson-nano"}
    rows = [r for r in read_evidence() if r.profile in boards and r.runtime == "ncnn" and r.unit == "cpu"]
    return samples(rows)["cpu"]


@pytest.fixture(scope="module")
def fitted(few):
    rough = fitting.fit(few, {})  # no widths are given, so they are found
    return rough


def test_the_fit_follows_what_it_saw(fitted):
    seen = fitted.residual - fitted.alpha * fitted.noise**2 / fitted.weights
    assert np.median(np.abs(seen - fitted.residual)) < 0.05


def test_left_out_errors_are_those_of_a_fit_without_the_rows(few, fitted):
    group = np.flatnonzero([n.startswith("timm:resnet50@") for n in few.networks])
    total = np.linalg.inv(fitted.inverse)
    rest = np.setdiff1d(np.arange(len(few)), group)
    refit = total[np.ix_(group, rest)] @ np.linalg.solve(total[np.ix_(rest, rest)], fitted.residual[rest])
    predicted = left_out(fitted.inverse, fitted.alpha, fitted.residual, [group])
    assert predicted[group] == pytest.approx(refit, abs=1e-6)
    assert np.isnan(predicted[rest]).all()


def test_unseen_networks_are_harder_than_networks_that_other_boards_ran(fitted):
    wrong = {item.support: np.median(np.abs(item.errors)) for item in held_out(fitted)}
    assert wrong["own"] < wrong["setup"] < 0.5


def test_shipped_deviations_give_the_fitted_values(few, fitted):
    from advisor.learning.fit import described
    from advisor.prediction.pooled.answer import logarithms
    from advisor.prediction.pooled.store import _unit

    model = _unit({**described(fitted, held_out(fitted)), "intervals": {}})
    told = logarithms(model, few.setups, few.networks, few.amounts)
    kept = fitted.base + fitted.residual - fitted.alpha * fitted.noise**2 / fitted.weights
    assert np.abs(told - kept).max() < 0.03, "rounding and dropped deviations"


@pytest.mark.parametrize("share", [0.5, 0.8, 0.9])
def test_intervals_hold_their_share_of_new_errors(share):
    rng = np.random.default_rng(3)
    low, mid, high, n = interval(rng.normal(0.1, 0.3, 400), share)
    new = np.exp(rng.normal(0.1, 0.3, 4000))
    assert np.mean((low <= new) & (new <= high)) == pytest.approx(share, abs=0.05)
    assert (low < mid < high, n) == (True, 400)


def test_a_way_has_an_interval_of_its_own_from_enough_errors(fitted):
    items = [item for item in held_out(fitted) if item.support == SETUP]
    found = intervals(fitted.data, items)[SETUP]
    assert "" in found
    assert found["ncnn|cpu|fp32|layers"][3] >= 25
    assert intervals(fitted.data, [replace(items[0], rows=items[0].rows[:5], errors=items[0].errors[:5])])[
        SETUP
    ].keys() == {""}


def test_a_covariance_is_inverted():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(20, 20))
    matrix = a @ a.T + np.eye(20)
    assert inverted(matrix.copy()) @ matrix == pytest.approx(np.eye(20), abs=1e-8)
