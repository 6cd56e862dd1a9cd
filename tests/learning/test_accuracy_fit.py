"""The pooled accuracy model on results made up so that the truth is known."""

import numpy as np
import pytest

from advisor.learning.accuracy_fit import fit
from advisor.learning.accuracy_held_out import by_group, grids, held_out, spreads
from advisor.prediction.accuracies.case import case_of
from advisor.prediction.accuracies.levels import QUANTIZE, bent, unbent
from advisor.prediction.accuracies.spread import LEVELS, NETWORK, added, losing, span

KITS = {"gentle": -0.2, "usual": -0.6, "rough": -2.0}


def made_up(seed=0):
    rng = np.random.default_rng(seed)
    cases, deltas = [], []
    for n in range(20):
        own = rng.normal(0, 0.1)
        for kit, loss in KITS.items():
            row = {"model": f"resnet{n + 10}", "task": "classification", "metric": "top1", "technique": "ptq_static",
                   "setting": "bits_w=8;bits_a=8", "toolkit": kit, "baseline": "70"}  # fmt: skip
            cases.append(case_of(row))
            deltas.append(loss + own + rng.normal(0, 0.05))
    return cases, deltas


@pytest.fixture(scope="module")
def found():
    return fit(QUANTIZE, *made_up())


def test_a_network_left_out_is_predicted_by_its_toolkit(found):
    predicted = by_group(found, [case.network.body for case in found.cases])
    for kit, loss in KITS.items():
        points = [unbent(p) for p, case in zip(predicted, found.cases, strict=True) if case.toolkit == kit]
        assert np.mean(points) == pytest.approx(loss, abs=0.15)


def test_the_same_results_and_widths_give_the_same_model(found):
    known = found.widths.named(found.terms)
    again, more = (fit(QUANTIZE, *made_up(), known) for _ in range(2))
    assert (again.alpha == more.alpha).all()
    assert np.allclose(again.alpha, found.alpha)


def test_intervals_hold_about_as_many_as_they_say(found):
    item = next(item for item in held_out(found) if item.support == NETWORK)
    whole = spreads(found, item, frozenset())[""]
    inside = 0
    for row, predicted in zip(item.rows, item.predicted, strict=True):
        low, _, high = span(whole.points(float(predicted), -100.0), unbent(float(predicted)))
        inside += low <= unbent(found.y[row] + found.base[row]) <= high
    assert 0.7 <= inside / len(item.rows) <= 0.95


def test_many_settings_on_few_networks_are_a_grid():
    cases, _ = made_up()
    row = {
        "model": "vgg16",
        "technique": "ptq_static",
        "toolkit": "sweeper",
        "task": "classification",
        "metric": "top1",
    }
    tried = [case_of({**row, "setting": f"act_percentile={n}"}) for n in range(12)]
    assert grids([*cases, *tried]) == {"sweeper"}


def test_outcomes_add_and_their_tail_is_a_probability():
    outcomes = np.linspace(-10, 0, len(LEVELS))
    both = added(outcomes, outcomes)
    assert both.mean() == pytest.approx(-10, abs=0.2)
    assert losing(outcomes, 5, 10**6) == pytest.approx(0.5, abs=0.02)
    assert losing(outcomes, 50, 9) == pytest.approx(0.05), "never said to be impossible"


@pytest.mark.parametrize("points", [-70.0, -5.0, -0.1, 0.0, 2.0])
def test_bending_loses_nothing(points):
    assert unbent(bent(points)) == pytest.approx(points)
