"""Sums of networks that can be worked out on paper, and the table of named networks."""

import pytest

from advisor.prediction.pooled.amounts import COLUMNS, amounts_of, totals
from advisor.prediction.pooled.networks import at_nearest_size, by_name, known_networks, recognised, sizes_of
from advisor.prediction.pooled.question import network_key, pixels_of, rescaled, size_of
from tests.prediction.networks import conv_net


def column(amounts, name):
    return amounts.columns[COLUMNS.index(name)]


def test_a_small_network_is_summed_by_kind_of_work():
    found = amounts_of(conv_net(channels=16, side=8))
    assert column(found, "conv") == 3 * 16 * 9 * 64, "three input channels are a stem, not a 3x3 layer of the body"
    assert column(found, "conv3x3") == 0
    assert column(found, "linear") == 16 * 64 * 10
    assert found.macs == column(found, "conv") + column(found, "linear")
    assert column(found, "ops") == 2, "batch norm and ReLU run inside the convolution"
    assert column(found, "moved") == (3 + 16) * 64 + 16 * 64 + 10
    assert found.pixels == 64
    assert found.detail == "layers"


@pytest.mark.parametrize(
    ("macs", "guessed", "detail"), [(1e9, 0.0, "totals"), (0.0, 2e9, "parameters"), (0.0, 0.0, "nothing")]
)
def test_what_is_known_of_a_network_without_layers_has_a_name(macs, guessed, detail):
    found = totals(macs, 1e6, 50176.0, guessed=guessed)
    assert (found.detail, found.layered) == (detail, False)
    assert found.macs == (macs or guessed)


def test_the_table_holds_networks_of_libraries_and_of_benchncnn():
    resnet = by_name("timm:resnet50", "224x224")
    assert resnet is not None
    assert resnet.amounts.macs == 4089184256
    assert resnet.amounts.parameters == 25557032
    assert {"mobilenet_v3", "proxylessnasnet", "yolov4_tiny"} <= {name for name, _ in known_networks()}
    assert by_name("timm:resnet50").input == "224x224", "the usual size, where it is known"
    assert at_nearest_size("timm:resnet50", 170 * 170).input in set(sizes_of("timm:resnet50")) - {"224x224"}
    assert by_name("timm:no_such_network") is None


def test_amounts_of_the_table_are_those_of_the_profiler():
    import timm
    import torch

    from advisor.profiling import profile_module

    with torch.device("meta"):
        module = timm.create_model("mobilenetv2_100").eval()
    workload = profile_module(module, (1, 3, 224, 224))
    assert amounts_of(workload) == by_name("timm:mobilenetv2_100", "224x224").amounts
    assert recognised(workload) == "timm:mobilenetv2_100@224x224"


def test_a_network_of_ones_own_is_not_taken_for_a_known_one():
    assert recognised(conv_net()) == ""


@pytest.mark.parametrize(
    ("shape", "size", "pixels"),
    [("1x3x224x320", "224x320", 71680), ("8x3x64x64", "64x64", 4096), ("1x10", "", 0), ("", "", 0)],
)
def test_input_sizes_are_read_from_shapes(shape, size, pixels):
    assert (size_of(shape), pixels_of(size_of(shape))) == (size, pixels)
    assert network_key("net", shape) == f"net@{size}"


def test_a_convolutional_network_grows_with_the_pixels_and_attention_by_their_square():
    cnn = by_name("timm:resnet50", "224x224").amounts
    twice = rescaled(cnn, 2 * cnn.pixels)
    assert column(twice, "conv3x3") == 2 * column(cnn, "conv3x3")
    assert column(twice, "linear") == column(cnn, "linear"), "it stands behind the pooling"
    assert column(twice, "weights") == column(cnn, "weights")
    vit = by_name("timm:vit_tiny_patch16_224", "224x224").amounts
    twice = rescaled(vit, 2 * vit.pixels)
    assert column(twice, "linear") == 2 * column(vit, "linear")
    assert column(twice, "matmul") == 4 * column(vit, "matmul")
