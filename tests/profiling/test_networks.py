"""Whole networks against independent counts: torch's own flop counter, fvcore, and the parameters themselves."""

import warnings

import pytest
import timm
import torch
from torch.utils.flop_counter import FlopCounterMode

from advisor.profiling import family, profile_module
from advisor.schema import OpKind

pytestmark = pytest.mark.real

FAMILIES = {
    "plain_cnn": "vgg11_bn inception_v3",
    "residual_cnn": """resnet18 resnet50 resnext50_32x4d seresnet50 regnetx_002 regnety_002 res2net50_26w_4s
        nfnet_l0 hrnet_w18_small dla34 repvgg_a0 convnext_tiny convnext_atto
        poolformer_s12""",
    "dense_cnn": "densenet121",
    "depthwise_cnn": """mobilenetv1_100 mobilenetv2_100 mobilenetv3_small_100 mobilenetv4_conv_small
        tf_efficientnet_lite0 efficientnet_b0 mnasnet_100 ghostnet_100""",
    "vit": """vit_tiny_patch16_224 deit_tiny_patch16_224 beit_base_patch16_224 cait_xxs24_224 xcit_nano_12_p16_224
        crossvit_9_240""",
    "hierarchical_vit": "swin_tiny_patch4_window7_224 swinv2_tiny_window8_256 pvt_v2_b0 twins_svt_small pit_ti_224",
    "hybrid": """mobilevit_xxs mobilevitv2_050 levit_128s coatnet_nano_rw_224 fastvit_t8 fastvit_sa12
        edgenext_xx_small efficientformer_l1 maxvit_pico_rw_256""",
    "mlp": "mixer_s32_224 resmlp_12_224",
}
NETWORKS = [(name, kind) for kind, names in FAMILIES.items() for name in names.split()]


def build(name):
    with torch.device("meta"):
        return timm.create_model(name).eval().requires_grad_(False)


def counted_by_torch(module, shape):
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        module(torch.empty(shape, device="meta"))
    return counter.get_total_flops() / 2  # torch counts a multiplication with its addition as 2


@pytest.mark.parametrize(("name", "expected"), NETWORKS, ids=[n for n, _ in NETWORKS])
def test_macs_parameters_and_family_of_timm_networks(name, expected):
    module = build(name)
    shape = (1, *module.pretrained_cfg["input_size"])
    workload = profile_module(module, shape)
    assert workload.macs == pytest.approx(counted_by_torch(module, shape), rel=0.005)
    assert workload.params == sum(p.numel() for p in module.parameters())
    assert family(workload) == expected
    assert not [op.name for op in workload.ops if op.kind is OpKind.UNKNOWN]
    assert not workload.notes


PUBLISHED = [
    # as tabulated by timm: GMACs and millions of parameters
    ("resnet50", 4.09, 25.56),
    ("mobilenetv2_100", 0.30, 3.50),
    ("deit_tiny_patch16_224", 1.25, 5.72),
]


@pytest.mark.parametrize(("name", "giga_macs", "million_params"), PUBLISHED)
def test_published_figures_are_met(name, giga_macs, million_params):
    workload = profile_module(build(name), (1, 3, 224, 224))
    assert workload.macs / 1e9 == pytest.approx(giga_macs, abs=0.011)
    assert workload.params / 1e6 == pytest.approx(million_params, abs=0.006)


FVCORE_COUNTS = {"conv", "linear", "addmm", "matmul", "bmm", "mm", "einsum", "baddbmm"}


@pytest.mark.parametrize(
    "name", ["resnet18", "mobilenetv3_small_100", "regnetx_002", "vit_tiny_patch16_224", "pvt_v2_b0", "mixer_s32_224"]
)
def test_fvcore_counts_the_same_products(name):
    from fvcore.nn import FlopCountAnalysis

    timm.layers.set_fused_attn(False)  # fvcore does not know the fused operator
    try:
        module = timm.create_model(name).eval()
    finally:
        timm.layers.set_fused_attn(True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        analysis = FlopCountAnalysis(module, torch.zeros(1, 3, 224, 224)).unsupported_ops_warnings(False)
        counts = analysis.uncalled_modules_warnings(False).tracer_warnings("none").by_operator()
    expected = sum(count for name, count in counts.items() if name in FVCORE_COUNTS)
    assert profile_module(module, (1, 3, 224, 224)).macs == pytest.approx(expected, rel=0.005)


def test_half_the_side_is_a_quarter_of_the_convolutions():
    module = build("resnet18")
    large, small = (profile_module(module, (1, 3, side, side)) for side in (256, 128))
    dense = {op.macs for op in large.ops if op.kind is OpKind.LINEAR}
    assert large.macs - sum(dense) == 4 * (small.macs - sum(dense))


@pytest.mark.parametrize(
    ("name", "expected"), [("fcn_resnet50", "segmenter"), ("lraspp_mobilenet_v3_large", "segmenter")]
)
def test_segmenters_are_recognised(name, expected):
    from torchvision.models import segmentation

    with torch.device("meta"):
        module = getattr(segmentation, name)(weights=None, weights_backbone=None).eval()
    assert family(profile_module(module, (1, 3, 64, 64))) == expected


def test_detectors_profile_by_a_pass_on_zeros():
    from torchvision.models import detection

    module = detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None).eval()
    workload = profile_module(module, (1, 3, 320, 320))
    assert family(workload) == "detector"
    assert workload.macs == pytest.approx(583e6, rel=0.01)  # torchvision's table: 0.583 GMACs
    assert "real zeros" in workload.notes[0]
