"""Devices that are wrong in a known way: errors fall with outcomes, and wrong outcomes do little harm."""

import random
from math import exp
from statistics import median

import pytest

from advisor.learning.outcomes.lessons import learn
from advisor.schema import Lesson

from .builders import SPREAD, figure, outcome

DEVICES = 40


def lesson_for_new(made) -> Lesson | None:
    found = learn(made, "host", "cpu").lessons
    return next((one for one in found if (one.form, one.network, one.threads) == ("int8", "", 1)), None)


def study(count, poison=0.0, shared=0.6):
    """Return the median error and the coverage on networks to come, of devices that share so much."""
    errors, inside = [], []
    for device in range(DEVICES):
        rng = random.Random(device)
        bias = rng.gauss(0, shared**0.5)

        def own(rng=rng, bias=bias):
            return bias + rng.gauss(0, (1 - shared) ** 0.5)

        tests, sizes = [own() for _ in range(6)], [own() for _ in range(100)]
        spoilt = random.Random(1000 + device)
        made = []
        for number, size in enumerate(sizes[:count]):
            ms = 10.0 * exp(size * SPREAD)
            if spoilt.random() < poison:
                ms *= spoilt.choice((1e3, 1e-3, 1.5, 3.0))
            made.append(outcome(number, figures=(figure(measured=ms),)))
        found = lesson_for_new(made)
        shift, width = (found.shift, found.width) if found else (0.0, 1.0)
        errors += [abs(size - shift) * SPREAD for size in tests]
        inside += [abs(size - shift) <= 1.2816 * width for size in tests]
    return median(errors), sum(inside) / len(inside)


@pytest.fixture(scope="module")
def clean():
    return {count: study(count) for count in (0, 5, 20, 100)}


def test_errors_fall_with_outcomes_and_intervals_keep_their_promise(clean):
    errors = [clean[count][0] for count in (0, 5, 20)]
    assert errors == sorted(errors, reverse=True)
    assert clean[20][0] < 0.8 * clean[0][0]
    assert clean[100][0] == pytest.approx(clean[20][0], rel=0.1)  # what networks do not share cannot be learnt
    assert all(0.72 <= covered <= 0.93 for _, covered in clean.values())


@pytest.mark.parametrize("count", [20, 100])
def test_a_tenth_of_wrong_outcomes_does_little_harm(clean, count):
    error, covered = study(count, poison=0.1)
    assert error < 1.1 * clean[count][0]
    assert error < 0.85 * clean[0][0]
    assert covered > 0.72


def test_where_nothing_is_shared_nothing_is_lost():
    before, after = study(0, shared=0.0), study(20, shared=0.0)
    assert after[0] < 1.1 * before[0]
    assert after[1] > 0.72
