"""Low rank carried out on a trained network: ranks from its weights and images, and what they cost in accuracy."""

import functools

import pytest

from advisor.schema import Plan
from advisor.techniques.low_rank.step import LowRank

from .journeys import fast_measurement, run  # noqa: F401 - a fixture

pytestmark = pytest.mark.real
MACS = 1_511_744  # of the original, by hand: 9 (16 x 256 + 16 x 32 x 64 + 2 x 32 x 32 x 64) + 32 x 10

STEPS = {
    "budget": LowRank(method="spatial_svd", rank_ratio=0.4, round_to=2, epochs=0),
    "aware": LowRank(method="spatial_svd", rank_ratio=0.4, round_to=2, epochs=0, aware=True),
    "energy": LowRank(method="auto", rule="energy", energy=0.7, round_to=2, epochs=0),
    "sensitivity": LowRank(method="auto", rule="sensitivity", rank_ratio=0.4, round_to=2, epochs=2),
}


@functools.cache
def carried_out(name):
    return run(Plan(steps=(STEPS[name],), runtime="onnxruntime"))[0]


@pytest.mark.parametrize("name", STEPS)
def test_the_run_says_the_ranks_and_the_network_equals_their_preview(name):
    record = carried_out(name)
    assert all(check.agrees for check in record.checks), record.checks
    assert record.checks[0].actual < 0.8 * MACS
    layers = record.steps[0].details["layers"]
    if name in ("energy", "sensitivity"):
        assert dict(record.steps[0].resolved["ranks"]) == {path: layer["ranks"] for path, layer in layers.items()}
    if name == "energy":
        assert all(layer["energy_lost"] <= 0.3001 for layer in layers.values())


def test_fitting_to_answers_saves_accuracy():
    plain, aware = carried_out("budget"), carried_out("aware")
    assert plain.checks[0].actual == aware.checks[0].actual
    assert aware.accuracy["shipped"] > plain.accuracy["shipped"]


def test_training_recovers_ranks_by_sensitivity():
    record = carried_out("sensitivity")
    assert record.accuracy["original"] - record.accuracy["shipped"] < 6
