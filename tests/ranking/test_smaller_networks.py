"""The competitor of a compressed network: a smaller one that is published as it is."""

import pytest

from advisor.pipeline import recommend
from advisor.ranking.ready_made import ready_made
from advisor.reports.recommendation import recommendation_page
from advisor.schema import Metric
from tests.prediction.networks import board, pointwise


@pytest.mark.real
def test_smaller_published_networks_stand_beside_the_plan():
    made = recommend("timm:resnet50", "raspberry-pi-4b")
    mine = made.recommended.estimates
    assert made.ready_made
    for one in made.ready_made:
        faster = one.latency.mid <= mine[Metric.LATENCY].mid
        better = one.accuracy.mid >= mine[Metric.ACCURACY].mid
        if one.verdict.startswith("beats the plan"):
            assert faster or one.latency.mid == pytest.approx(mine[Metric.LATENCY].mid, rel=0.04)
        if one.verdict.startswith("a trade"):
            assert faster != better
    assert any(getattr(block, "title", "") == "A smaller ready-made network would give" for block in
               recommendation_page(made).blocks)  # fmt: skip


def test_nothing_is_said_of_a_network_that_nobody_published():
    workload = pointwise((64, 100), side=224)
    assert ready_made(None, workload, board(), {"model.task": "classification"}) == ()
