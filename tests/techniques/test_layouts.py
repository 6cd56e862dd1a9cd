"""Layouts against numpy: label every place of an array with its channel, move the array, compare the labels."""

from itertools import pairwise
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.techniques.layouts import Channels, Layout, Segment, cut, reshaped


def labels(shape, layout):
    """An array that holds, at every place, (variable, channel) as one number."""
    line = [
        segment.variable * 1000 + channel
        for segment in layout.segments
        for channel in range(segment.width)
        for _ in range(segment.repeat)
    ]
    view = [1] * len(shape)
    view[layout.dim] = len(line)
    return np.broadcast_to(np.array(line).reshape(view), shape)


def test_flattening_repeats_every_channel_over_its_pixels():
    layout = Layout(1, (Segment(0, 8),))
    assert reshaped(layout, (2, 8, 3, 3), (2, 72)) == Layout(1, (Segment(0, 8, 9),))


def test_channels_cut_apart_are_not_followed():
    assert reshaped(Layout(1, (Segment(0, 8),)), (1, 8, 4, 4), (1, 2, 4, 4, 4)) is None


def test_queries_keys_and_values_split_into_heads():
    layout = Layout(2, (Segment(0, 4, 16),) * 3)
    assert reshaped(layout, (1, 5, 192), (1, 5, 3, 4, 16)) == Layout(3, (Segment(0, 4),))


@st.composite
def reshapes(draw):
    width = draw(st.integers(2, 4))
    repeat = draw(st.sampled_from([1, 2, 3]))
    copies = draw(st.sampled_from([1, 2]))
    before = (draw(st.integers(1, 3)), draw(st.integers(1, 3)), copies * width * repeat, draw(st.integers(1, 3)))
    total, after = prod(before), []
    while total > 1 and len(after) < 4:
        side = draw(st.sampled_from([d for d in range(1, total + 1) if total % d == 0]))
        after.append(side)
        total //= side
    return Layout(2, (Segment(0, width, repeat),) * copies), before, (*after, total)


@given(reshapes())
def test_a_followed_reshape_agrees_with_numpy(example):
    layout, before, after = example
    found = reshaped(layout, before, after)
    if found is not None:
        assert np.array_equal(labels(before, layout).reshape(after), labels(after, found))


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.data())
def test_cuts_follow_borders_of_segments_and_nothing_else(widths, data):
    layout = Layout(0, tuple(Segment(i, width) for i, width in enumerate(widths)))
    total = sum(widths)
    start = data.draw(st.integers(0, total - 1))
    size = data.draw(st.integers(1, total - start))
    borders = [0, *np.cumsum(widths).tolist()]
    found = cut(layout, start, size)
    if start in borders and start + size in borders:
        inside = [i for i, (a, b) in enumerate(pairwise(borders)) if a >= start and b <= start + size]
        assert [segment.variable for segment in found] == inside
    else:
        assert found is None


def test_joining_rows_that_do_not_match_pins_both():
    channels = Channels()
    a, b, c = (channels.new(width) for width in (32, 16, 16))
    channels.join((Segment(a, 32),), (Segment(b, 16), Segment(c, 16)), "why")
    assert [channels.reason[v] for v in (a, b, c)] == ["why"] * 3


@pytest.mark.parametrize(("first", "second", "expected"), [(4, 6, 12), (8, 4, 8), (1, 1, 1)])
def test_joined_blocks_are_the_least_common_multiple(first, second, expected):
    channels = Channels()
    a, b = channels.new(24, first), channels.new(24, second)
    channels.join((Segment(a, 24),), (Segment(b, 24),), "")
    assert channels.blocks[channels.root(b)] == expected
