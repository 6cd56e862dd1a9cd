"""Long study: pruning previews against real cuts on many architectures and ratios."""

import pytest

from tests.techniques.test_real import assert_cut_as_previewed, timm_model

NAMES = (
    "resnet34", "resnet50", "resnext50_32x4d", "seresnet18", "regnetx_008", "regnety_004", "vgg13_bn", "densenet169",
    "mobilenetv2_140", "mobilenetv3_small_100", "mobilenetv4_conv_small", "mnasnet_100", "efficientnet_b1",
    "efficientnet_lite0",
    "repvgg_b0", "convnext_nano", "inception_v3", "xception41", "dla34", "hrnet_w18_small", "cspresnet50", "fbnetc_100",
)  # fmt: skip


@pytest.mark.study
@pytest.mark.parametrize("ratio", [0.15, 0.3, 0.5])
@pytest.mark.parametrize("name", NAMES)
def test_previews_equal_real_cuts(name, ratio):
    assert_cut_as_previewed(timm_model(name), 128 if name != "inception_v3" else 299, ratio=ratio)
