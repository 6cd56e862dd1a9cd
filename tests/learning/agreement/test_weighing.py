"""Votes of networks and devices, and weighted quantiles."""

import pytest

from advisor.learning.agreement.pair import LATENCY, Pair
from advisor.learning.agreement.weighing import quantile, weights_of


def pair(model: str, device: str = "d") -> Pair:
    return Pair("s", model, device, LATENCY, "plan", 1.0, {})


@pytest.mark.parametrize(
    ("pairs", "weights"),
    [
        ([pair("a"), pair("b")], [0.5, 0.5]),
        ([pair("a"), pair("a"), pair("a"), pair("b")], [1 / 6, 1 / 6, 1 / 6, 0.5]),
        ([pair("a", "x"), pair("a", "x"), pair("a", "y")], [0.25, 0.25, 0.5]),
    ],
)
def test_networks_share_the_vote_and_within_one_its_devices(pairs, weights):
    assert weights_of(pairs) == pytest.approx(weights)


@pytest.mark.parametrize(
    ("values", "weights", "share", "expected"),
    [
        ([3.0], [1.0], 0.1, 3.0),
        ([1.0, 2.0, 3.0], [1, 1, 1], 0.5, 2.0),
        ([3.0, 1.0, 2.0], [1, 1, 1], 0.5, 2.0),
        ([1.0, 2.0], [1, 1], 0.5, 1.5),
        ([1.0, 2.0], [3, 1], 0.375, 1.0),
        ([1.0, 2.0, 3.0], [1, 1, 1], 0.99, 3.0),
        ([1.0, 1.0, 5.0], [0.25, 0.25, 0.5], 0.9, 5.0),
    ],
)
def test_quantiles_are_weighted_and_interpolated(values, weights, share, expected):
    assert quantile(values, weights, share) == pytest.approx(expected)


def test_quantiles_never_leave_the_values_and_never_fall():
    values, weights = [0.5, 4.0, 2.0, 2.0, 9.0], [0.1, 0.4, 0.2, 0.2, 0.1]
    found = [quantile(values, weights, share / 20) for share in range(21)]
    assert found == sorted(found)
    assert min(found) >= 0.5
    assert max(found) <= 9.0
