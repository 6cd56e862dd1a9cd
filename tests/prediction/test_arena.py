import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.prediction.arena import (
    ALIGNMENT,
    Buffer,
    height,
    integer_interface,
    lower_bound,
    plan,
    planned,
    scratch_bytes,
)
from advisor.prediction.fusion import fuse
from advisor.schema import OpKind
from advisor.techniques.static_int8.preview import preview
from advisor.techniques.static_int8.step import StaticInt8

from .networks import conv_net, op


@st.composite
def buffers(draw):
    found = []
    for _ in range(draw(st.integers(0, 25))):
        first = draw(st.integers(0, 12))
        found.append(Buffer(draw(st.integers(1, 500)), first, first + draw(st.integers(0, 6))))
    return found


def together(one, other):
    return one.first <= other.last and other.first <= one.last


@given(buffers())
def test_buffers_that_are_alive_together_never_overlap(found):
    offsets = plan(found)
    for i, one in enumerate(found):
        for j, other in enumerate(found[:i]):
            if together(one, other):
                assert offsets[i] >= offsets[j] + other.size or offsets[j] >= offsets[i] + one.size


@given(buffers())
def test_every_offset_is_aligned(found):
    assert all(offset % ALIGNMENT == 0 for offset in plan(found))


@given(buffers())
def test_the_height_lies_between_the_bound_and_the_sum(found):
    top = height(found, plan(found))
    assert lower_bound(found) <= top <= sum(one.size + ALIGNMENT for one in found)


@given(buffers())
def test_planning_is_the_same_every_time(found):
    assert plan(found) == plan(list(found))


@given(buffers())
def test_the_bound_equals_the_sum_at_the_fullest_step(found):
    steps = range(20)
    brute = max((sum(one.size for one in found if one.first <= step <= one.last) for step in steps), default=0)
    assert lower_bound(found) == brute


def test_a_buffer_goes_into_the_gap_that_another_left():
    long, early, late = Buffer(320, 0, 3), Buffer(160, 0, 1), Buffer(160, 2, 3)
    assert plan([long, early, late]) == (0, 320, 320)


@pytest.mark.parametrize(
    ("kind", "kernel", "channels", "kernels", "expected"),
    [
        (OpKind.CONV, (3, 3), 3, "dsp", 2 * 28 * 2),  # 27 values, rounded up to 28, two columns of int16
        (OpKind.CONV, (3, 3), 16, "dsp", 2 * 144 * 2),
        (OpKind.CONV, (3, 3), 3, "helium", 4 * 32),
        (OpKind.CONV_1X1, (1, 1), 64, "dsp", 0),
        (OpKind.CONV_DEPTHWISE, (3, 3), 64, "dsp", 0),
        (OpKind.CONV_DEPTHWISE, (5, 5), 64, "dsp", 64 * 25 * 2),
        (OpKind.CONV_DEPTHWISE, (3, 3), 64, "helium", 4 * 124 * 9),
        (OpKind.CONV, (3, 3), 16, "none", 0),
    ],
)
def test_scratch_follows_the_kernel_library(kind, kernel, channels, kernels, expected):
    layer = op(0, kind, (0,), (1,), ("w",), 1, kernel=kernel, in_channels=channels, out_channels=8, groups=1)
    assert scratch_bytes(layer.model_copy(update={"precision": "int8"}), kernels) == expected
    assert scratch_bytes(layer, kernels) == 0  # in float


def test_int8_firmware_holds_no_float_copy_of_the_image():
    network = preview(StaticInt8(signedness="s8s8"), conv_net(channels=2, side=8))
    bare = integer_interface(network)
    assert {bare.tensor[t].dtype for t in (*bare.inputs, *bare.outputs)} == {"int8"}
    with_float, without = (planned(fuse(w, "tflite-micro"), "none", False).height for w in (network, bare))
    assert without == 3 * 64 + 2 * 64  # image and feature map, one byte each
    assert with_float == (4 + 1) * 3 * 64  # the image in float and in int8


def test_a_float_network_keeps_its_interface():
    network = conv_net()
    assert integer_interface(network) is network


def test_scratch_lies_beside_the_activations():
    fused = fuse(integer_interface(preview(StaticInt8(signedness="s8s8"), conv_net(16, 8))), "tflite-micro")
    bare, with_scratch = planned(fused, "none", False), planned(fused, "dsp", False)
    assert with_scratch.scratch == 2 * 28 * 2
    assert with_scratch.lower_bound == bare.lower_bound + with_scratch.scratch
