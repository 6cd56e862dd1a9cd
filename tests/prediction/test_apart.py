"""A precision that was measured with networks of its own is answered by way of the one most measured."""

from dataclasses import replace

import pytest

from advisor.devices import load_device
from advisor.prediction.pooled.amounts import amounts_of
from advisor.prediction.pooled.answer import answers
from advisor.prediction.pooled.apart import detour
from advisor.prediction.pooled.setup import Run, setup_of
from advisor.prediction.pooled.store import pooled

from .networks import conv_net


def setup(device, runtime, precision, unit="npu"):
    return setup_of(load_device(device), Run(unit, runtime, precision))


def test_only_precisions_without_a_common_network_take_a_detour():
    model = pooled().units["npu"]
    assert model.anchors["rknn|npu|fp16"] == "int8"
    assert detour(model, setup("rk3588", "rknn", "int8"), "") is None
    found = detour(model, setup("rk3588", "rknn", "fp16"), "")
    assert (found.setup.precision, found.setup.step) == ("int8", 2.0)
    assert found.low < 1 < found.high
    known = next(key for key in model.deviations["network way"]["one"] if key.endswith("|rknn|npu|fp16"))
    assert detour(model, setup("rk3588", "rknn", "fp16"), known.partition("|")[0]) is None


@pytest.mark.parametrize("device", ["rk3588", "rk3576", "rk3562"])
def test_float_is_not_promised_to_be_faster_than_int8_where_nobody_compared_them(device):
    model, amounts = pooled().units["npu"], amounts_of(conv_net())
    asked = [setup(device, "rknn", precision) for precision in ("fp16", "int8")]
    half, integer = answers(model, asked, ["", ""], [amounts, amounts])
    assert half.ms > integer.ms
    assert half.high / half.low > integer.high / integer.low
    assert "int8" in half.note
    assert integer.note == ""


def test_a_step_that_nobody_measured_leaves_the_model_alone():
    model = pooled().units["npu"]
    odd = replace(setup("rk3588", "rknn", "fp16"), precision="fp8")
    assert detour(model, odd, "") is None
