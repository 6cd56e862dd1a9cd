import pytest

import advisor.prediction.engine  # noqa: F401  (registers the predictors)
from advisor.prediction.energy import best_latency
from advisor.prediction.query import Query
from advisor.prediction.throughput import PipelinedThroughput, figures
from advisor.techniques.static_int8.preview import preview
from advisor.techniques.static_int8.step import StaticInt8

from .networks import board, conv_net, plain


def asked(runtime):
    device = board(runtime=runtime, unit="npu", kind="npu-accelerator")
    plan = plain(runtime, "npu").model_copy(update={"steps": (StaticInt8(),)})
    return Query(plan, conv_net(), preview(StaticInt8(), conv_net()), device)


def test_a_pipeline_gives_more_images_than_one_after_the_other():
    query = asked("hailort")
    latency, rate = best_latency(query), PipelinedThroughput().estimate(query)
    depth = figures().pipelined["hailort"].mid
    assert rate.mid == pytest.approx(1000 * depth / latency.mid)
    assert (rate.low, rate.high) == pytest.approx((1000 * depth / latency.high, 1000 * depth / latency.low))


def test_other_units_are_told_by_their_latency():
    assert PipelinedThroughput().supports(asked("rknn")) is None
    assert PipelinedThroughput().supports(asked("hailort")) is not None
