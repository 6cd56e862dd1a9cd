"""Equalization, bias correction and smoothing: the network stays the same, and int8 gets better."""

import numpy as np
import pytest

from advisor.techniques.static_int8.apply import apply
from advisor.techniques.static_int8.step import StaticInt8

from .quantizing import BATCH, answers, calibration, depthwise_net, exported, subject, top1

pytestmark = pytest.mark.real


def quantized(source, batches, **settings):
    return apply(StaticInt8(**{"signedness": "u8s8", "weights": "per_tensor", **settings}), subject(source, batches))


def test_equalization_saves_a_depthwise_network_of_uneven_channels():
    source, batches = exported(depthwise_net()), calibration()
    before = top1(source)
    assert before > 90
    plain = top1(quantized(source, batches).onnx)
    assert plain < before - 20, "one scale per tensor must hurt here, or the test says nothing"
    change = quantized(source, batches, equalize=True)
    assert change.details["equalized_pairs"] == 4
    assert top1(change.onnx) > before - 2


def test_bias_correction_takes_off_a_shift_of_the_mean():
    import torch
    from torch import nn

    torch.manual_seed(0)
    layer = nn.Conv2d(1, 8, 3, bias=False)
    with torch.no_grad():  # 0.4 of a step everywhere: all weights are rounded down together
        layer.weight.fill_(0.4 / 127)
        layer.weight[:, 0, 0, 0] = 1.0
    source = exported(nn.Sequential(layer, nn.ReLU(), nn.Conv2d(8, 4, 1)))
    batches = [np.abs(batch) for batch in calibration()]
    reference = answers(source, batches)
    shift = {}
    for corrected in (False, True):
        change = quantized(source, batches, bias_correction=corrected)
        shift[corrected] = float(np.abs((answers(change.onnx, batches) - reference).mean((0, 2, 3))).max())
    assert change.details["corrected_biases"] == 2
    assert shift[True] < 0.5 * shift[False]


@pytest.mark.parametrize(("bound", "opened"), [(6.0, 1), (0.5, 0)])
def test_a_relu6_becomes_a_relu_only_where_the_network_does_as_well_without_it(bound, opened):
    import torch
    from torch import nn

    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.Hardtanh(0, bound), nn.Conv2d(8, 8, 3, groups=8), nn.Flatten(2))
    change = quantized(exported(net), calibration(), equalize=True)
    assert change.details.get("opened_clips", 0) == opened
    assert change.details["equalized_pairs"] == opened


@pytest.mark.parametrize("groups", [1, 2, 8])
def test_equalized_networks_compute_the_same(groups):
    import torch
    from torch import nn

    from advisor.techniques.static_int8.equalize import equalize, pairs
    from advisor.techniques.static_int8.graph import Graph, give_biases

    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(8, 16, 3, groups=groups), nn.ReLU())
    source, batches = exported(net), calibration()
    graph = Graph.read(source)
    give_biases(graph)
    chosen = pairs(graph)
    assert len(chosen) == 1
    equalize(graph, chosen)
    target = source.with_name("equal.onnx")
    graph.save(target)
    np.testing.assert_allclose(answers(target, batches), answers(source, batches), rtol=1e-3, atol=1e-4)
    first, second = (np.abs(graph.array(layer.weight)) for layer in graph.layers())
    reach = second.reshape(groups, 16 // groups, 8 // groups, -1).max((1, 3)).ravel()
    np.testing.assert_allclose(first.reshape(8, -1).max(1), reach, rtol=1e-3)


def test_channels_that_somebody_else_reads_are_left_alone():
    import torch
    from torch import nn

    from advisor.techniques.static_int8.equalize import pairs
    from advisor.techniques.static_int8.graph import Graph

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Conv2d(1, 8, 1), nn.Conv2d(8, 8, 1)

        def forward(self, x):
            inner = torch.relu(self.first(x))
            return self.second(inner) + inner

    assert pairs(Graph.read(exported(Residual()))) == ()


def transformer():
    """Return one block whose first norm lets a few channels grow two hundredfold, as large transformers do."""
    import torch
    from timm.models.vision_transformer import VisionTransformer

    torch.manual_seed(0)
    net = VisionTransformer(
        img_size=16, patch_size=4, in_chans=1, num_classes=10, embed_dim=32, depth=2, num_heads=4, class_token=False,
        global_pool="avg",
    )  # fmt: skip
    with torch.no_grad():
        for block in net.blocks:
            for norm, layer in ((block.norm1, block.attn.qkv), (block.norm2, block.mlp.fc1)):
                norm.weight[:2] *= 200
                layer.weight[:, :2] /= 200
                layer.weight.mul_(8)
    return net.eval()


def test_smoothing_helps_a_transformer_with_outlying_channels():
    from advisor.techniques.static_int8.observe import sqnr

    source, batches = exported(transformer()), calibration()[:2]
    reference, reached = answers(source, batches), {}
    for alpha in (0.0, 0.5):
        change = quantized(source, batches, weights="per_channel", smooth=alpha)
        reached[alpha] = sqnr(reference, answers(change.onnx, batches))
    assert change.details["smoothed_norms"] == 5  # two per block and the one before the head
    assert reached[0.5] > reached[0.0] + 6


def test_a_smoothed_network_computes_the_same():
    from advisor.techniques.static_int8.graph import Graph
    from advisor.techniques.static_int8.prepare import prepare

    source, batches = exported(transformer()), calibration()[:2]
    target, _, details = prepare(StaticInt8(smooth=0.7), source, lambda: iter(batches), source.parent)
    assert details == {"smoothed_norms": 5}
    np.testing.assert_allclose(answers(target, batches), answers(source, batches), rtol=1e-3, atol=1e-4)
    assert answers(target, batches[:1]).shape[0] == BATCH
    assert len(Graph.read(target).layers()) == len(Graph.read(source).layers())
