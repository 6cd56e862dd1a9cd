"""Heads that are told by their operations."""

import pytest

from advisor.facts.heads import distributes_boxes
from advisor.schema import Op, OpKind, Tensor, Workload


def softmax_over(*shape):
    tensors = (Tensor(id=0, shape=shape), Tensor(id=1, shape=shape))
    op = Op(index=0, kind=OpKind.SOFTMAX, name="softmax", inputs=(0,), outputs=(1,))
    return Workload(name="head", inputs=(0,), outputs=(1,), tensors=tensors, weights=(), ops=(op,))


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((1, 16, 4, 2100), True),  # YOLOv8, bins first
        ((1, 4, 8400, 17), True),  # YOLOv6, bins last
        ((1, 8732, 21), False),  # the classes of SSD
        ((1, 4, 16, 16), False),  # attention of four heads over sixteen tokens
        ((1, 1000), False),
    ],
)
def test_boxes_as_distributions_are_told_from_other_softmaxes(shape, told):
    assert distributes_boxes(softmax_over(*shape)) is told
