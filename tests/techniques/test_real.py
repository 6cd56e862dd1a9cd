"""Previews against what really happens to torch modules: cut, factorised, fed with smaller images, folded."""

import importlib.util
import warnings
from pathlib import Path

import pytest

from advisor.schema import OpKind
from advisor.techniques.channels import channel_groups
from advisor.techniques.folding import fold_batch_norm
from advisor.techniques.low_rank.preview import preview as low_rank
from advisor.techniques.low_rank.step import LowRank
from advisor.techniques.prune_channels.preview import preview, pruning_widths
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.prune_transformer.preview import preview as prune_transformer
from advisor.techniques.prune_transformer.step import PruneTransformer
from advisor.techniques.resolution.preview import preview as resize
from advisor.techniques.resolution.step import LowerResolution

pytestmark = pytest.mark.real
SHARED = Path(__file__).parents[2].parent / "shared" / "cases" / "nets.py"
LONG = {"densenet121", "vgg11_bn"}  # in `make study`
CNNS = [
    ("resnet18", 64), ("resnext50_32x4d", 64), ("mobilenetv2_100", 64), ("mobilenetv3_large_100", 64),
    ("efficientnet_b0", 64), ("regnety_008", 64), ("densenet121", 64), ("repvgg_a0", 64), ("convnext_tiny", 64),
    ("vgg11_bn", 224),
]  # fmt: skip


def timm_model(name, **settings):
    import timm

    return timm.create_model(name, pretrained=False, **settings).eval()


def profiled(module, side, channels=3):
    from advisor.profiling import profile_module

    return profile_module(module, (1, channels, side, side), name="net")


def really_cut(module, workload, step, side):
    """Remove the first channels of every block, group by group, with Torch-Pruning."""
    import torch
    import torch_pruning as tp

    widths = pruning_widths(workload, step)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = tp.DependencyGraph().build_dependency(module, torch.zeros(1, 3, side, side), verbose=False)
    for group in channel_groups(workload):
        if group.producers[0] not in widths:
            continue
        layer = module.get_submodule(group.producers[0])
        cut = tp.prune_linear_out_channels if isinstance(layer, torch.nn.Linear) else tp.prune_conv_out_channels
        gone = (group.width - widths[group.producers[0]]) // group.blocks
        places = [b * (group.width // group.blocks) + i for b in range(group.blocks) for i in range(gone)]
        graph.get_pruning_group(layer, cut, places).prune()
    return widths


def assert_cut_as_previewed(module, side, ratio=0.3, round_to=8):
    step = PruneChannels(ratio=ratio, round_to=round_to)
    workload = profiled(module, side)
    expected = preview(step, workload)
    widths = really_cut(module, workload, step, side)
    actual = profiled(module, side)
    assert (expected.macs, expected.params) == (actual.macs, actual.params)
    assert expected.params < workload.params
    for path, width in widths.items():
        assert module.get_submodule(path).weight.shape[0] == width
    assert {w.name: w.shape for w in expected.weights} == {w.name: w.shape for w in actual.weights}


@pytest.mark.parametrize(
    ("name", "side"),
    [pytest.param(*case, id=case[0], marks=[pytest.mark.study] if case[0] in LONG else []) for case in CNNS],
)
def test_cut_networks_equal_their_preview(name, side):
    assert_cut_as_previewed(timm_model(name), side)


@pytest.mark.parametrize(("ratio", "round_to"), [(0.15, 8), (0.5, 16), (0.3, 1)])
def test_other_ratios_and_roundings_equal_their_preview(ratio, round_to):
    assert_cut_as_previewed(timm_model("mobilenetv2_100"), 64, ratio, round_to)


@pytest.mark.parametrize("name", ["cspresnet50", "res2net50_26w_4s"])
def test_networks_that_split_channels_equal_their_preview(name):
    assert_cut_as_previewed(timm_model(name), 64)


def cifar_nets():
    spec = importlib.util.spec_from_file_location("shared_nets", SHARED)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(not SHARED.exists(), reason="the shared networks are not here")
def test_cifar_networks_equal_their_preview():
    nets = cifar_nets()
    assert_cut_as_previewed(nets.CifarMobileNet().eval(), 32, round_to=4)
    resnet = nets.ResNetCifar(20).eval()
    assert_cut_as_previewed(resnet, 32, round_to=4)
    assert resnet.conv1.out_channels == 16  # residual groups are padded in shortcuts: they stay
    assert resnet.layer1[0].conv1.out_channels == 8  # inside the blocks channels go: int(16 x 0.7) = 11, down to 8


def test_factorised_layers_equal_their_preview():
    from torch import nn

    net = nn.Sequential(
        nn.Conv2d(3, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 128, 3, 2, 1, bias=False), nn.ReLU(),
        nn.Conv2d(128, 256, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 512), nn.Linear(512, 10),
    )  # fmt: skip
    before = profiled(net, 16)
    for method, place in (("spatial_svd", 2), ("tucker2", 2), ("svd", 4), ("svd", 7)):
        expected = low_rank(LowRank(method=method, rank_ratio=0.5), before)
        made = nn.Sequential(*net)
        places = (2,) if method != "svd" else (4, 7)
        for i in places:
            made[i] = _factors(net[i], [w.shape for w in expected.weights if w.name.startswith(f"{i}.")], net[i])
        actual = profiled(made, 16)
        assert (expected.macs, expected.params) == (actual.macs, actual.params), (method, place)


def _factors(layer, shapes, original):
    """Build the chain of layers with these kernels; stride and padding go to the axes that the kernel covers."""
    from torch import nn

    kernels = [shape for shape in shapes if len(shape) > 1]
    if isinstance(original, nn.Linear):
        return nn.Sequential(*(nn.Linear(k[1], k[0], bias=i == len(kernels) - 1) for i, k in enumerate(kernels)))
    chain = []
    covered = any(k[2:] != (1, 1) for k in kernels)
    for i, (out, into, high, wide) in enumerate(kernels):
        stride = tuple(
            s if side > 1 or not covered else 1 for s, side in zip(original.stride, (high, wide), strict=True)
        )
        padding = tuple(p if side > 1 else 0 for p, side in zip(original.padding, (high, wide), strict=True))
        bias = original.bias is not None and i == len(kernels) - 1
        chain.append(nn.Conv2d(into, out, (high, wide), stride if covered or i == 0 else 1, padding, bias=bias))
    return nn.Sequential(*chain)


@pytest.mark.parametrize(
    "name", ["resnet50", "mobilenetv2_100", "vit_tiny_patch16_224", "convnext_tiny", "regnety_008"]
)
@pytest.mark.parametrize("side", [160, 128])
def test_networks_at_another_size_equal_their_preview(name, side):
    expected = resize(LowerResolution(height=side, width=side), profiled(timm_model(name), 224))
    small = timm_model(name, img_size=side) if name.startswith("vit") else timm_model(name)
    actual = profiled(small, side)
    assert (expected.macs, expected.params) == (actual.macs, actual.params)
    assert sorted(t.shape for t in expected.tensors) == sorted(t.shape for t in actual.tensors)


def test_narrow_mlps_equal_a_vision_transformer_built_so():
    before = profiled(timm_model("vit_tiny_patch16_224"), 224)
    after = prune_transformer(PruneTransformer(mlp_ratio=0.5), before)
    actual = profiled(timm_model("vit_tiny_patch16_224", mlp_ratio=2.0), 224)
    assert (after.macs, after.params) == (actual.macs, actual.params)


def test_removed_heads_equal_smaller_projections():
    from torch import nn

    net = timm_model("vit_tiny_patch16_224")
    after = prune_transformer(PruneTransformer(head_ratio=0.3), profiled(net, 224))
    for block in net.blocks:
        attention = block.attn
        attention.num_heads, attention.attn_dim = 2, 128
        attention.qkv, attention.proj = nn.Linear(192, 3 * 128), nn.Linear(128, 192)
    actual = profiled(net, 224)
    assert (after.macs, after.params) == (actual.macs, actual.params)


def test_folding_equals_torch():
    import torch
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    net = timm_model("resnet18")
    folded = fold_batch_norm(profiled(net, 64))
    pairs = {}
    previous = None
    for path, module in net.named_modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            pairs[path] = previous
        if isinstance(module, torch.nn.Conv2d | torch.nn.BatchNorm2d):
            previous = path
    fused = [fuse_conv_bn_eval(net.get_submodule(conv), net.get_submodule(norm)) for norm, conv in pairs.items()]
    expected = sum(p.numel() for conv in fused for p in conv.parameters()) + 513 * 1000
    assert folded.params == expected
    assert not any(op.kind is OpKind.NORM_BATCH for op in folded.ops)
