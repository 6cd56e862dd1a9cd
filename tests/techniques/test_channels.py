"""Channel groups and narrowed networks, computed by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.schema import OpKind
from advisor.techniques.channels import channel_groups, kept_width
from advisor.techniques.prune_channels.preview import preview, pruning_widths
from advisor.techniques.prune_channels.step import PruneChannels

from .builder import NETS, Net, inverted, plain, residual, shapes

HALF = PruneChannels(ratio=0.5, round_to=4)


@pytest.mark.parametrize(
    ("width", "ratio", "multiple", "blocks", "kept"),
    [
        (64, 0.3, 8, 1, 40),  # 44.8 -> 44 -> 40
        (64, 0.3, 1, 1, 44),
        (64, 0.5, 8, 1, 32),
        (12, 0.5, 8, 1, 8),  # 6 would round to nothing: one multiple stays
        (6, 0.5, 8, 1, 6),  # narrower than a multiple: stays whole
        (16, 0.3, 16, 1, 16),
        (128, 0.3, 8, 32, 64),  # 32 blocks of 4 keep 2 each
        (64, 0.3, 8, 4, 40),  # 4 blocks of 16 keep 11, in steps of 2: 10
    ],
)
def test_kept_width(width, ratio, multiple, blocks, kept):
    assert kept_width(width, ratio, multiple, blocks) == kept


@given(st.integers(1, 300), st.floats(0.01, 0.99), st.sampled_from([1, 4, 8, 16, 32]))
def test_kept_width_is_a_multiple_or_everything_and_never_more(width, ratio, multiple):
    kept = kept_width(width, ratio, multiple)
    assert 1 <= kept <= width
    assert kept % multiple == 0 or kept == width < multiple


def test_a_plain_net_by_hand():
    before, after = plain(), preview(HALF, plain())
    assert shapes(after)["one.conv.weight"] == (8, 3, 3, 3)
    assert shapes(after)["two.conv.weight"] == (16, 8, 3, 3)
    assert shapes(after)["two.bn.running_var"] == (16,)
    assert shapes(after)["fc.weight"] == (10, 16)
    assert after.macs == 8 * 3 * 9 * 64 + 16 * 8 * 9 * 16 + 160
    assert after.params == 8 * 27 + 16 + 16 * 72 + 32 + 170
    assert after.tensor[after.outputs[0]].shape == before.tensor[before.outputs[0]].shape


def test_the_classifier_keeps_its_outputs_and_the_image_its_channels():
    groups = {group.producers: group for group in channel_groups(plain())}
    assert not groups[("fc",)].prunable
    assert "output" in groups[("fc",)].why_not
    assert shapes(preview(HALF, plain()))["one.conv.weight"][1] == 3


def test_a_residual_sum_couples_its_branches():
    groups = {group.producers for group in channel_groups(residual())}
    assert ("stem.conv", "outer.conv") in groups
    assert pruning_widths(residual(), HALF) == {"stem.conv": 8, "inner.conv": 16, "outer.conv": 8}


def test_a_gate_is_coupled_to_what_it_multiplies():
    widths = pruning_widths(inverted(), PruneChannels(ratio=0.5, round_to=8))
    assert widths == {
        "stem.conv": 8, "expand.conv": 32, "depth.conv": 32, "squeeze": 8, "excite": 32, "project": 8,
    }  # fmt: skip
    after = preview(PruneChannels(ratio=0.5, round_to=8), inverted())
    assert shapes(after)["depth.conv.weight"] == (32, 1, 3, 3)
    depthwise = next(op for op in after.ops if op.kind is OpKind.CONV_DEPTHWISE)
    assert depthwise.attrs["groups"] == 32
    assert depthwise.macs == 32 * 9 * 64


def test_concatenation_keeps_the_groups_apart():
    net = Net(1, 3, 8, 8)
    a, b = net.block(0, "a", 16), net.block(0, "b", 32)
    x = net.bn(net.concat(a, b), "joined")
    net.linear(net.mean(net.conv(x, "c", 64, kernel=1)), "fc", 10)
    after = preview(HALF, net.done())
    assert shapes(after)["joined.weight"] == (8 + 16,)
    assert shapes(after)["c.weight"] == (32, 24, 1, 1)


def test_a_part_of_a_split_pins_what_it_is_concatenated_with():
    net = Net(1, 3, 8, 8)
    x = net.block(0, "a", 32)
    left, right = (net.view(x, "slice", 1, 16, 8, 8, dim=1, start=start, end=start + 16) for start in (0, 16))
    net.linear(net.mean(net.conv(net.concat(left, net.block(right, "b", 16)), "c", 64, kernel=1)), "fc", 10)
    assert pruning_widths(net.done(), HALF) == {"c": 32}


def test_flattening_scales_the_inputs_of_the_classifier():
    net = Net(1, 3, 4, 4)
    x = net.block(0, "a", 16)
    net.linear(net.view(x, "reshape", 1, 256), "fc", 10)
    after = preview(HALF, net.done())
    assert shapes(after)["fc.weight"] == (10, 8 * 16)


def test_grouped_convolutions_keep_equal_groups():
    net = Net(1, 3, 8, 8)
    x = net.block(0, "a", 32)
    x = net.block(x, "grouped", 32, groups=8)
    net.linear(net.mean(x), "fc", 10)
    after = preview(PruneChannels(ratio=0.3, round_to=4), net.done())
    assert shapes(after)["a.conv.weight"] == (16, 3, 3, 3)
    assert shapes(after)["grouped.conv.weight"] == (16, 2, 3, 3)
    assert next(op for op in after.ops if op.kind is OpKind.CONV_GROUPED).attrs["groups"] == 8


@pytest.mark.parametrize("cause", ["pad", "half", "shuffle"])
def test_channels_that_are_cut_apart_stay_and_say_why(cause):
    net = Net(1, 3, 8, 8)
    x = net.block(0, "a", 16)
    if cause == "pad":
        x = net.op(OpKind.MOVE, (x,), 1, 32, 8, 8, function="pad")
    elif cause == "half":
        x = net.view(x, "slice", 1, 8, 8, 8, dim=1, start=0, end=8)
    else:
        x = net.view(x, "reshape", 1, 4, 4, 8, 8)
        x = net.view(x, "permute", 1, 4, 4, 8, 8, dims=(0, 2, 1, 3, 4))
        x = net.view(x, "reshape", 1, 16, 8, 8)
    net.linear(net.mean(net.conv(x, "b", 32)), "fc", 10)
    group = next(group for group in channel_groups(net.done()) if group.producers == ("a.conv",))
    assert not group.prunable
    assert "cuts through the channels" in group.why_not
    assert pruning_widths(net.done(), HALF) == {"b": 16}


def test_layers_that_share_a_weight_shrink_together():
    net = Net(1, 16, 8, 8)
    x = net.conv(net.conv(0, "in", 16), "shared", 16)
    net.linear(net.mean(net.conv(x, "shared", 16)), "fc", 10)
    after = preview(HALF, net.done())
    assert shapes(after)["shared.weight"] == (8, 8, 3, 3)
    assert shapes(after)["in.weight"] == (8, 16, 3, 3)


@pytest.mark.parametrize("name", ["plain", "residual", "inverted"])
@given(low=st.floats(0.01, 0.98), high=st.floats(0.01, 0.98))
def test_a_higher_ratio_never_costs_more(name, low, high):
    low, high = sorted((low, high))
    mild, hard = (preview(PruneChannels(ratio=ratio, round_to=4), NETS[name]()) for ratio in (low, high))
    assert hard.macs <= mild.macs
    assert hard.params <= mild.params
