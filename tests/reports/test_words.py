import pytest

from advisor.devices import load_device
from advisor.reports import words
from advisor.reports.devices import device_page
from advisor.reports.recommendation import predictions
from advisor.schema import Basis, Estimate, Goal, Limit, Metric
from tests.reports import builders


def estimate(metric=Metric.MEMORY, parts=None):
    return Estimate(metric=metric, low=1.0, mid=2.0, high=3.0, basis=Basis.FITTED, predictor="test", parts=parts or {})


@pytest.mark.parametrize(
    ("metric", "parts", "said"),
    [
        (Metric.MEMORY, {"runtime": 53.0, "weights": 9.2}, "Memory: runtime 53.0 MB, weights 9.20 MB."),
        (Metric.FLASH, {"runtime": 0.09, "graph": 0.0}, "Flash: runtime 0.0900 MB."),
        (Metric.MEMORY, {}, ""),
    ],
)
def test_what_an_estimate_is_made_of_is_told_apart(metric, parts, said):
    assert words.parts(estimate(metric, parts)) == said


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (Limit(metric=Metric.LATENCY, bound=5.0), "latency at most 5 ms"),
        (Limit(metric=Metric.LATENCY, bound=5.0, sustained=True), "a result every 5 ms"),
        (Limit(metric=Metric.FLASH, bound=0.5), "flash at most 0.5 MB"),
    ],
)
def test_limits_say_what_they_bound(limit, said):
    assert words.limit(limit) == said


def test_the_goal_names_the_power_mode():
    assert "power mode 5W" in words.goal(Goal(power_mode="5W"))


def test_flash_is_told_where_it_exists_and_not_missed_elsewhere():
    candidate = builders.recommendation().candidates[0]
    rows = {row[0] for row in predictions(candidate).rows}
    assert not rows & {"flash", "throughput"}
    with_flash = candidate.model_copy(
        update={"estimates": candidate.estimates | {Metric.FLASH: estimate(Metric.FLASH, {"weights": 2.0})}}
    )
    table = predictions(with_flash)
    assert "flash" in {row[0] for row in table.rows}
    assert "Flash: weights 2.00 MB." in table.note


def test_a_device_tells_its_power_modes_and_its_heat():
    page = str(device_page(load_device("jetson-nano")))
    assert "CPU 0.918 GHz" in page
    assert "figures of this profile are for it" in page
    assert "80 and 85 degrees" in str(device_page(load_device("raspberry-pi-4b")))
