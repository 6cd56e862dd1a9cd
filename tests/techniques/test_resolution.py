"""New input sizes by hand."""

import pytest

from advisor.errors import NotApplicable
from advisor.schema import OpKind
from advisor.techniques.resolution.preview import preview, total_stride
from advisor.techniques.resolution.propose import propose
from advisor.techniques.resolution.shapes import regrouped
from advisor.techniques.resolution.step import LowerResolution

from .builder import Net, case, inverted, path


def at(side: int) -> LowerResolution:
    return LowerResolution(height=side, width=side)


def big(side=32, flat=False):
    net = Net(1, 3, side, side)
    x = net.block(net.block(0, "a", 16, stride=2), "b", 32, stride=2)
    size = net.shape(x)[-1]
    net.linear(net.view(x, "reshape", 1, 32 * size * size) if flat else net.mean(x), "fc", 10)
    return net.done()


def test_half_the_side_is_a_quarter_of_the_convolutions():
    after = preview(at(8), big())
    assert after.macs == 16 * 27 * 16 + 32 * 144 * 4 + 320
    assert after.params == big().params
    assert after.input_shapes == ((1, 3, 8, 8),)


@pytest.mark.parametrize("side", [8, 12, 16, 20, 24, 28, 31])
def test_the_preview_equals_a_net_built_at_that_size(side):
    after = preview(at(side), big(32))
    assert after.macs == big(side).macs
    assert sorted(t.shape for t in after.tensors) == sorted(t.shape for t in big(side).tensors)


def test_a_classifier_that_reads_all_pixels_refuses_another_size():
    with pytest.raises(NotApplicable, match="fixed number of pixels"):
        preview(at(16), big(flat=True))
    assert propose(case(big(flat=True)), path()) == ()


def test_tokens_follow_the_image_and_attention_their_square():
    def net(side: int):
        made = Net(1, 3, side, side)
        x = made.conv(0, "patch", 32, kernel=4, stride=4)
        tokens = made.shape(x)[-1] ** 2
        x = made.view(x, "reshape", 1, 32, tokens)
        x = made.view(x, "permute", 1, tokens, 32, dims=(0, 2, 1))
        table = made.weight("pos", 1, tokens, 32, role="embedding")
        x = made.op(OpKind.ELEMENTWISE, (x,), 1, tokens, 32, weights=[table], function="add")
        q = made.view(x, "reshape", 1, 1, tokens, 32)
        macs = 2 * tokens * tokens * 32
        x = made.op(OpKind.ATTENTION, (q, q, q), 1, 1, tokens, 32, macs=macs, heads=1, head_dim=32, tokens=tokens)
        made.linear(made.view(x, "reshape", 1, tokens, 32), "fc", 32)
        return made.done()

    after = preview(at(16), net(32))
    assert after.macs == net(16).macs
    assert after.params == net(16).params
    assert after.weight["pos"].shape == net(16).weight["pos"].shape


@pytest.mark.parametrize(
    ("old", "new", "out", "expected"),
    [
        ((1, 32, 8, 8), (1, 32, 6, 6), (1, 32, 64), (1, 32, 36)),
        ((1, 49, 64), (1, 25, 64), (1, 7, 7, 64), (1, 5, 5, 64)),
        ((1, 56, 56, 96), (1, 28, 28, 96), (1, 8, 7, 8, 7, 96), (1, 4, 7, 4, 7, 96)),
        ((1, 197, 576), (1, 101, 576), (1, 197, 3, 3, 64), (1, 101, 3, 3, 64)),
    ],
)
def test_reshapes_are_followed(old, new, out, expected):
    assert regrouped(old, new, out, {}) == expected


def test_windows_that_do_not_fit_are_refused():
    with pytest.raises(NotApplicable, match="windows"):
        regrouped((1, 56, 56, 96), (1, 48, 48, 96), (1, 8, 7, 8, 7, 96), {})


def test_proposals_are_smaller_multiples_of_the_stride():
    workload = big(224)
    assert total_stride(workload) == 4
    steps = propose(case(workload), path())
    assert [(s.height, s.width) for s in steps] == [(192, 192), (160, 160), (128, 128)]
    assert total_stride(inverted()) == 2
