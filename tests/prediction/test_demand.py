"""Counting what a fused graph asks of a unit: one row per executed operation, in the arithmetic it runs in."""

import numpy as np
import pytest

from advisor.prediction.demand import PRECISIONS, demand
from advisor.prediction.efficiency import CLASSES
from advisor.schema import OpKind, Tensor, Weight, Workload
from advisor.techniques.static_int8.preview import preview
from advisor.techniques.static_int8.step import StaticInt8

from .networks import conv_net, op


def pooled():
    """A convolution and a mean over the plane, which has no integer kernel in onnxruntime."""
    ops = (
        op(0, OpKind.CONV_1X1, (0,), (1,), ("w",), 16 * 16 * 64, in_channels=16, out_channels=16, groups=1),
        op(1, OpKind.REDUCE, (1,), (2,), function="mean", dims=(2, 3), keepdim=True),
    )
    shapes = ((1, 16, 8, 8), (1, 16, 8, 8), (1, 16, 1, 1))
    return Workload(
        name="pooled", inputs=(0,), outputs=(2,), tensors=tuple(Tensor(id=i, shape=s) for i, s in enumerate(shapes)),
        weights=(Weight(name="w", shape=(16, 16, 1, 1), role="weight"),), ops=ops,
    )  # fmt: skip


def rows(load):
    """Class and precision of each operation."""
    return [(CLASSES[c], PRECISIONS[p]) for c, p in zip(load.classes, load.precisions, strict=True)]


def test_views_ask_for_nothing_and_the_rest_is_counted_by_hand():
    load = demand(conv_net(channels=16, side=8), "ncnn")
    assert rows(load) == [("conv", "fp32"), ("linear", "fp32")]
    assert load.macs.tolist() == [27 * 16 * 64, 10 * 1024]
    assert load.activations.tolist() == [3 * 64 + 16 * 64, 1024 + 10]
    assert load.weights.tolist() == [16 * 27 + 16, 10 * 1024 + 10]
    assert (load.inputs[0], load.outputs[0]) == (3, 16)


def test_float_operations_of_an_integer_graph_are_float():
    load = demand(preview(StaticInt8(), pooled()), "onnxruntime")
    counted = rows(load)
    assert ("conv_1x1", "int8") in counted
    assert ("reduce", "fp32") in counted
    assert counted.count(("quantize", "int8")) == 2  # the image, and the operand of the mean


@pytest.mark.parametrize(("block", "reorders"), [(None, 2), (8, 2), (1, 0)])
def test_changes_of_layout_are_moves(block, reorders):
    load = demand(pooled(), "onnxruntime", block)
    assert np.count_nonzero(load.classes == CLASSES.index("move")) == reorders
