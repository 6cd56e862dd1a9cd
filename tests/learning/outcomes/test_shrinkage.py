"""The mean that is drawn towards no error: how far, how sure, and how little outliers count."""

import random

import pytest

from advisor.learning.outcomes.shrinkage import NARROWEST, WIDEST, Columns, Error, Kind, shrink

NEW = Kind("onnxruntime/cpu", 1, "int8", "new")


def errors(sizes, same=False, **fields):
    return [
        Error(
            Kind(
                **{"runtime": NEW.runtime, "threads": 1, "form": "int8", "network": "a" if same else f"n{i}"} | fields
            ),
            size,
        )
        for i, size in enumerate(sizes)
    ]


@pytest.mark.parametrize("size", [-23, -6, -2, -0.5, 0.5, 1, 2, 6, 23])
def test_no_single_outcome_moves_a_prediction_by_more_than_half_of_its_error_nor_by_one_deviation(size):
    found = shrink(errors([size], same=True))
    shift, _ = found.at(Kind(NEW.runtime, 1, "int8", "a"))
    assert shift * size >= 0
    assert abs(shift) <= min(abs(size) / 2, 1.0) + 1e-9


@pytest.mark.parametrize("size", [-1.5, 1.0, 3.0])
def test_the_more_outcomes_agree_the_nearer_the_prediction_comes(size):
    shifts = [shrink(errors([size] * n)).at(NEW)[0] / size for n in (1, 4, 20, 100)]
    assert shifts == sorted(shifts)
    assert shifts[0] < 0.36
    assert shifts[2] > 0.85
    assert shifts[3] > 0.95


def test_errors_that_agree_narrow_the_interval_and_errors_that_do_not_widen_it():
    rng = random.Random(0)
    calm = [shrink(errors([rng.gauss(0, 0.3) for _ in range(n)])).at(NEW)[1] for n in (5, 20, 100)]
    wild = shrink(errors([rng.choice((-2.5, 2.5)) for _ in range(40)])).at(NEW)[1]
    assert NARROWEST <= calm[2] <= calm[1] <= calm[0] < 1
    assert 1.2 < wild <= WIDEST


@pytest.mark.parametrize(
    ("other", "less"),
    [
        (Kind("onnxruntime/cpu", 1, "int8", "n0"), "the same network"),
        (Kind("onnxruntime/cpu", 1, "int8", "new"), "another network"),
        (Kind("onnxruntime/cpu", 4, "int8", "new"), "other threads"),
        (Kind("onnxruntime/cpu", 4, "fp32", "new"), "another form"),
        (Kind("openvino/cpu", 1, "int8", "n0"), "another runtime"),
    ],
)
def test_what_is_less_alike_shares_less(other, less):
    order = [Kind("onnxruntime/cpu", 1, "int8", "n0"), Kind("onnxruntime/cpu", 1, "int8", "new"),
             Kind("onnxruntime/cpu", 4, "int8", "new"), Kind("onnxruntime/cpu", 4, "fp32", "new"),
             Kind("openvino/cpu", 1, "int8", "n0")]  # fmt: skip
    found = shrink(errors([1.0] * 3))
    shifts = [found.at(kind)[0] for kind in order]
    place = order.index(other)
    assert shifts == sorted(shifts, reverse=True), less
    assert shifts[-1] == 0.0
    shared = list(Columns(order).covariance(order[0]))
    assert shared == sorted(shared, reverse=True)
    assert shared[place] == Columns([other]).covariance(order[0])[0]


def test_a_few_outliers_among_many_hardly_move_the_mean():
    rng = random.Random(1)
    clean = [1.0 + rng.gauss(0, 0.3) for _ in range(30)]
    poisoned = [*clean[:-3], 12.0, 12.0, 12.0]
    good, bad = shrink(errors(clean)), shrink(errors(poisoned))
    assert bad.at(NEW)[0] == pytest.approx(good.at(NEW)[0], abs=0.15)
    assert max(bad.weights[-3:]) < 0.1
    assert min(bad.weights[:-3]) > 0.5


def test_normal_errors_of_the_claimed_width_leave_it_as_it_is():
    """The weights of heavy tails take some variance away, which the scale gives back."""
    rng = random.Random(3)
    worlds = [[bias + rng.gauss(0, 0.806) for _ in range(60)] for bias in (rng.gauss(0, 0.592) for _ in range(40))]
    scales = [shrink(errors(sizes)).scale for sizes in worlds]
    assert sum(scales) / len(scales) == pytest.approx(1.0, abs=0.06)


def test_a_noisy_measurement_counts_less():
    sure, unsure = (shrink([Error(NEW, 2.0, noise)]).at(NEW)[0] for noise in (0.0, 4.0))
    assert 0 < unsure < sure / 2
