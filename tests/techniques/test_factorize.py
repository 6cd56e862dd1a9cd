"""Kernels split into thinner ones: the same network at full rank, the best approximation below."""

import pytest

pytestmark = pytest.mark.real


def layer(kind="conv", **settings):
    import torch
    from torch import nn

    torch.manual_seed(1)
    made = nn.Linear(64, 48) if kind == "linear" else nn.Conv2d(64, 48, **settings)
    return nn.Sequential(made).eval()


def factorized(module, shape, method, ratio):
    from advisor.profiling import profile_module
    from advisor.techniques.low_rank.apply import apply
    from advisor.techniques.low_rank.preview import preview
    from advisor.techniques.low_rank.step import LowRank
    from advisor.techniques.subject import Subject

    step = LowRank(method=method, rank_ratio=ratio, round_to=1, epochs=0)
    workload = profile_module(module, shape, name="net", source="")
    change = apply(step, Subject(shape, folder=None, module=module, workload=workload))
    after = profile_module(change.module, shape, name="net", source="")
    expected = preview(step, workload)
    assert (after.macs, after.params) == (expected.macs, expected.params)
    assert [(w.name, w.shape) for w in after.weights] == [(w.name, w.shape) for w in expected.weights]
    return change


def of_rank(module, rank):
    """Give a layer a kernel that its factorization can represent exactly."""
    import torch

    kernel = module[0].weight
    basis = torch.randn(kernel.shape[0], rank) @ torch.randn(rank, kernel.shape[1])
    spread = torch.ones(kernel.shape[2:]) if kernel.dim() == 4 else torch.ones(())
    with torch.no_grad():
        kernel.copy_((basis.reshape(*basis.shape, *[1] * spread.dim()) * spread) / 20)
    return module


CASES = {
    "linear": ("svd", (2, 64), {"kind": "linear"}),
    "1x1": ("svd", (1, 64, 9, 9), {"kernel_size": 1, "stride": 2}),
    "spatial": ("spatial_svd", (1, 64, 11, 9), {"kernel_size": 3, "stride": 2, "padding": 1}),
    "dilated": ("spatial_svd", (1, 64, 11, 9), {"kernel_size": (3, 5), "padding": (2, 4), "dilation": 2}),
    "tucker": ("tucker2", (1, 64, 11, 9), {"kernel_size": 3, "stride": (1, 2), "padding": 1}),
    "tucker dilated": ("tucker2", (1, 64, 11, 9), {"kernel_size": 3, "padding": 2, "dilation": 2, "bias": False}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_kernel_of_low_rank_is_reproduced_exactly(case):
    import torch

    method, shape, settings = CASES[case]
    module = of_rank(layer(**settings), 4)
    change = factorized(module, shape, method, 0.5)
    batch = torch.randn(shape)
    with torch.inference_mode():
        torch.testing.assert_close(change.module(batch), module(batch), rtol=1e-3, atol=1e-4)
    assert change.details["layers"]["0"]["energy_lost"] < 1e-4
    assert module[0].weight.shape[0] == 48  # the original is never changed


@pytest.mark.parametrize("case", ["linear", "spatial", "tucker"])
def test_a_higher_rank_loses_less(case):
    method, shape, settings = CASES[case]
    lost = [
        factorized(layer(**settings), shape, method, ratio).details["layers"]["0"]["energy_lost"]
        for ratio in (0.2, 0.4, 0.6)
    ]
    assert lost == sorted(lost, reverse=True)
    assert 0 < lost[-1] < lost[0] < 1


def test_tucker_is_no_worse_than_truncating_both_sides():
    import torch

    from advisor.techniques.low_rank.factorize import tucker2

    torch.manual_seed(0)
    kernel = torch.randn(24, 16, 3, 3)
    first, core, last = tucker2(kernel, 8, 8)
    joined = torch.einsum("ri,srhw,os->oihw", first[..., 0, 0], core, last[..., 0, 0])
    left = torch.linalg.svd(kernel.flatten(1))[0][:, :8]
    right = torch.linalg.svd(kernel.transpose(0, 1).flatten(1))[0][:, :8]
    truncated = torch.einsum("oihw,op,sp,iq,rq->srhw", kernel, left, left, right, right)
    assert (kernel - joined).square().sum() <= (kernel - truncated).square().sum() * 1.0001


def test_real_networks_run_and_match_their_preview():
    import timm
    import torch

    for name, method in (("resnet18", "tucker2"), ("vit_tiny_patch16_224", "svd")):
        module = timm.create_model(name, num_classes=10, **({"img_size": 64} if "vit" in name else {})).eval()
        change = factorized_timm(module, method)
        with torch.inference_mode():
            assert change.module(torch.zeros(1, 3, 64, 64)).shape == (1, 10)


def factorized_timm(module, method):
    from advisor.profiling import profile_module
    from advisor.techniques.low_rank.apply import apply
    from advisor.techniques.low_rank.preview import preview
    from advisor.techniques.low_rank.step import LowRank
    from advisor.techniques.subject import Subject

    step, shape = LowRank(method=method, rank_ratio=0.5, epochs=0), (1, 3, 64, 64)
    workload = profile_module(module, shape, name="net", source="")
    change = apply(step, Subject(shape, folder=None, module=module, workload=workload))
    after, expected = profile_module(change.module, shape, name="net", source=""), preview(step, workload)
    assert (after.macs, after.params) == (expected.macs, expected.params)
    return change


@pytest.mark.parametrize("odd", ["subclass", "reads the weight", "padding"])
def test_a_layer_with_arithmetic_of_its_own_is_refused(odd):
    from torch import nn

    from advisor.errors import NotApplicable

    class Own(nn.Conv2d):
        def forward(self, x):
            return super().forward(x) * 2

    class Reading(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(64, 64)

        def forward(self, x):
            return nn.functional.linear(x, self.inner.weight)

    module, shape, method = {
        "subclass": (nn.Sequential(Own(64, 64, 3)), (1, 64, 8, 8), "spatial_svd"),
        "reads the weight": (Reading(), (1, 64), "svd"),
        "padding": (nn.Sequential(nn.Conv2d(64, 64, 3, padding=1, padding_mode="reflect")), (1, 64, 8, 8), "tucker2"),
    }[odd]
    with pytest.raises(NotApplicable, match="low_rank"):
        factorized(module.eval(), shape, method, 0.5)


def test_saved_weights_restore_a_factorized_network(tmp_path):
    import timm
    import torch

    from advisor.execution.pruned import save_weights, with_weights

    module = timm.create_model("resnet18", num_classes=4).eval()
    thin = factorized_timm(module, "spatial_svd").module
    save_weights(thin, module, tmp_path / "w.safetensors")
    again = with_weights(module, tmp_path / "w.safetensors")
    batch = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(thin(batch), again(batch))
