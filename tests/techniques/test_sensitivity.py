"""The ranking of layers by what int8 does to them, and steps that name layers to keep in float by it."""

import numpy as np
import pytest

from advisor.runtimes.kernels import integer_kernels
from advisor.techniques.static_int8.apply import apply, resolve
from advisor.techniques.static_int8.observe import sqnr
from advisor.techniques.static_int8.sensitivity import sensitivity
from advisor.techniques.static_int8.step import StaticInt8

from .quantizing import answers, calibration, exported, subject

pytestmark = pytest.mark.real

STEP = StaticInt8(signedness="u8s8", weights="per_tensor")
NAMES = {"0", "2", "4", "6", "10"}


@pytest.fixture(scope="module")
def net():
    """Return a network whose third convolution has channels that one scale does not fit."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(),
        nn.Conv2d(8, 8, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Identity(), nn.Linear(8, 10),
    ).eval()  # fmt: skip
    with torch.no_grad():
        module[4].weight[0] *= 300
        module[6].weight[:, 0] /= 300
    return exported(module), calibration()[:3]


def test_the_layer_that_int8_harms_comes_first(net):
    source, batches = net
    seen = []
    ranking = sensitivity(source, batches, STEP, tick=lambda *told: seen.append(told))
    assert ranking.complete
    assert {layer.layer for layer in ranking.layers} == NAMES
    assert ranking.worst(1) == ("4",)
    levels = [layer.sqnr_db for layer in ranking.layers]
    assert levels == sorted(levels)
    assert levels[0] < levels[1] - 3
    assert ranking.whole_sqnr_db < levels[0] + 3
    assert [(done, of) for _, done, of in seen] == [(i, 5) for i in range(1, 6)]
    assert ranking.images == sum(map(len, batches))


def test_a_scan_whose_time_is_over_says_so(net):
    source, batches = net
    ranking = sensitivity(source, iter(batches), STEP, seconds=0)
    assert not ranking.complete
    assert ranking.layers[0].layer == "4", "the layer whose weights round worst is measured first"
    assert [layer.sqnr_db is None for layer in ranking.layers] == [False] + [True] * 4
    assert {layer.layer for layer in ranking.layers} == NAMES


def test_a_share_of_layers_is_resolved_into_names_that_help(net):
    source, batches = net
    asked = STEP.model_copy(update={"keep_float": 0.2})
    found = resolve(asked, subject(source, batches))
    assert found.float_layers == ("4",)
    assert found.keep_float == 0.2
    assert resolve(found, subject(source, batches)) == found
    assert resolve(STEP, subject(source, batches)) == STEP
    reference = answers(source, batches)
    files = [apply(step, subject(source, batches)).onnx for step in (STEP, found)]
    assert [integer_kernels(file) for file in files] == [5, 4]
    plain, mixed = (sqnr(reference, answers(file, batches)) for file in files)
    assert mixed > plain + 6


@pytest.mark.parametrize(("target", "count"), [(1.0, 0), (99.0, 5)])
def test_a_level_is_reached_with_as_few_layers_as_it_takes(net, target, count):
    source, batches = net
    found = resolve(STEP.model_copy(update={"target_sqnr": target}), subject(source, batches))
    assert len(found.float_layers) == count
    reached = sqnr(answers(source, batches), answers(apply(found, subject(source, batches)).onnx, batches))
    assert reached >= target


def test_products_of_activations_are_layers_too():
    import torch
    from torch import nn

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.qkv = nn.Linear(16, 48)

        def forward(self, x):
            q, k, v = self.qkv(x.flatten(1, 2)).chunk(3, -1)
            return (q @ k.transpose(-2, -1)).softmax(-1) @ v

    torch.manual_seed(0)
    ranking = sensitivity(exported(Attention()), calibration()[:1], STEP)
    assert len(ranking.layers) == 3
    assert all(np.isfinite(layer.sqnr_db) and layer.sqnr_db > 5 for layer in ranking.layers)


def test_labels_say_how_many_layers_stay_float():
    assert StaticInt8(keep_float=0.1).label == "int8 static, 10 % of layers in float"
    assert StaticInt8(float_layers=("a",), keep_float=0.1).label == "int8 static, 1 layer in float"
    assert StaticInt8(target_sqnr=30, equalize=True).label == "int8 static, equalized, layers in float for 30 dB"
