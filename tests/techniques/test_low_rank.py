"""Ranks and costs against arithmetic written out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.schema import OpKind
from advisor.techniques.low_rank.preview import preview
from advisor.techniques.low_rank.ranks import matrix_rank, spatial_rank, tucker_ranks
from advisor.techniques.low_rank.step import LowRank

from .builder import Net, shapes

WIDTHS = st.integers(32, 600)


@given(WIDTHS, WIDTHS)
def test_the_break_even_rank_of_a_matrix_costs_as_much_as_the_matrix(m, n):
    rank = matrix_rank(m, n, 1.0, 1)
    assert rank * (m + n) <= m * n < (rank + 1) * (m + n)


@given(WIDTHS, WIDTHS, st.sampled_from([3, 5, 7]))
def test_the_break_even_rank_of_a_spatial_split_costs_as_much_as_the_kernel(m, n, k):
    rank = spatial_rank(m, n, (k, k), 1.0, 1)
    assert rank * k * (m + n) <= k * k * m * n < (rank + 1) * k * (m + n)


@given(WIDTHS, WIDTHS, st.sampled_from([3, 5, 7]))
def test_the_break_even_ranks_of_tucker_cost_no_more_than_the_kernel(m, n, k):
    first, second = tucker_ranks(m, n, k * k, 1.0, 1)
    cost = m * first + k * k * first * second + second * n
    larger = m * (first + 1) + k * k * (first + 1) * (second + 1) + (second + 1) * n
    assert cost <= k * k * m * n < larger


def linear_net(m=512, n=256):
    net = Net(1, m)
    net.linear(net.act(net.linear(0, "a", n)), "b", 10)
    return net.done()


def conv_net(stride=1):
    net = Net(1, 64, 16, 16)
    net.linear(net.mean(net.act(net.conv(0, "a", 128, stride=stride, bias=True))), "fc", 10)
    return net.done()


def test_svd_of_a_linear_layer_by_hand():
    after = preview(LowRank(method="svd", rank_ratio=0.5, round_to=8), linear_net())
    rank = 80  # 0.5 * 512 * 256 / 768 = 85.3, down to a multiple of 8
    assert shapes(after)["a.0.weight"] == (rank, 512)
    assert shapes(after)["a.1.weight"] == (256, rank)
    assert shapes(after)["a.1.bias"] == (256,)
    assert after.macs == rank * 768 + 2560
    assert "b.weight" in shapes(after)


@pytest.mark.parametrize("stride", [1, 2])
def test_spatial_svd_by_hand(stride):
    after = preview(LowRank(method="spatial_svd", rank_ratio=0.5, round_to=8), conv_net(stride))
    rank, side = 64, 16 // stride  # 0.5 * 3 * 64 * 128 / 192
    assert shapes(after)["a.0.weight"] == (rank, 64, 3, 1)
    assert shapes(after)["a.1.weight"] == (128, rank, 1, 3)
    first = rank * 64 * 3 * side * 16  # only the height is strided yet
    second = 128 * rank * 3 * side * side
    assert after.macs == first + second + 1280
    assert after.tensor[after.ops[0].outputs[0]].shape == (1, rank, side, 16)


def test_tucker_by_hand():
    before = conv_net(2)
    after = preview(LowRank(method="tucker2", rank_ratio=0.5, round_to=8), before)
    r1, r2 = shapes(after)["a.0.weight"][0], shapes(after)["a.2.weight"][1]
    assert shapes(after)["a.1.weight"] == (r2, r1, 3, 3)
    assert after.macs == 64 * r1 * 256 + 9 * r1 * r2 * 64 + r2 * 128 * 64 + 1280
    assert [op.kind for op in after.ops[:3]] == [OpKind.CONV_1X1, OpKind.CONV, OpKind.CONV_1X1]
    assert after.params < before.params


@pytest.mark.parametrize("outputs", [4, 10, 31])
def test_layers_with_few_outputs_are_left_alone(outputs):
    net = Net(1, 2048)
    net.linear(0, "fc", outputs)
    assert preview(LowRank(round_to=8), net.done()).params == net.done().params


def test_depthwise_and_grouped_convolutions_are_left_alone():
    net = Net(1, 64, 8, 8)
    x = net.conv(net.conv(0, "depth", 64, groups=64), "grouped", 64, groups=4)
    net.linear(net.mean(x), "fc", 10)
    for method in ("svd", "spatial_svd", "tucker2"):
        assert shapes(preview(LowRank(method=method), net.done())) == shapes(net.done())


def test_a_shared_layer_is_left_alone():
    net = Net(1, 256)
    net.linear(net.linear(0, "same", 256), "same", 256)
    assert shapes(preview(LowRank(), net.done())) == shapes(net.done())


@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_a_smaller_rank_never_costs_more(low, high):
    low, high = sorted((low, high))
    for method in ("spatial_svd", "tucker2"):
        small, large = (preview(LowRank(method=method, rank_ratio=r), conv_net()) for r in (low, high))
        assert small.macs <= large.macs
        assert small.params <= large.params


def test_a_bias_that_another_layer_shares_stays():
    net = Net(1, 512)
    net.linear(net.act(net.linear(0, "a", 512)), "b", 8)
    net.linear(3, "c", 512, bias=False)
    net.ops[-1] = net.ops[-1].model_copy(update={"weights": ("c.weight", "a.bias")})  # too thin to split
    after = preview(LowRank(method="svd", rank_ratio=0.5), net.done())
    assert "a.0.weight" in after.weight
    assert {name for op in after.ops for name in op.weights} <= set(after.weight)
