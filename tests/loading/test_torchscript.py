import sys
import zipfile
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import timm
import torch
import torchvision
from torch import nn

from advisor.errors import ModelLoadError
from advisor.loading.torchscript import open_torchscript
from advisor.profiling import profile_module
from advisor.runtimes.onnx_export import export_onnx

from .script_attacks import IGNORED_SCRIPTS, IMAGE, SCRIPTS, Net, rewrite, script

MODELS = Path(__file__).parents[3] / "shared" / "cases" / "models"


class Branches(nn.Module):
    """What scripts write beside plain calls: loops, branches, lists, dictionaries, tuples and sizes."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Conv2d(3 * (i + 1), 3, 3, padding=1) for i in range(3)])
        self.scale = nn.Parameter(torch.ones(1, 3, 1, 1))

    def forward(self, x):
        features = [x]
        for layer in self.layers:
            features.append(layer(torch.cat(features, 1)))
        count = 0
        while count < 2:
            features[0] = features[0] * self.scale
            count += 1
        if self.training and features[0].shape[1] > 2:
            raise ValueError("never in evaluation")
        height, width = x.shape[-2:]
        pooled = nn.functional.adaptive_avg_pool2d(features[-1], (height // 2, width // 2))
        named = {"pooled": pooled, "first": features[0]}
        return named["pooled"].flatten(1) + float(len(named)), named["first"]


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1)
        self.b.weight = self.a.weight

    def forward(self, x):
        return self.b(self.a(x))


class Two(nn.Module):
    def forward(self, x, y):
        return x + y


class ByValue(nn.Module):
    def forward(self, x):
        if bool(x.sum() > 0):
            return x
        return -x


def same(opened, module, shape=IMAGE):
    x = torch.rand(shape)
    with torch.no_grad():
        torch.testing.assert_close(opened(x), module.eval()(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("module", [Net, Branches, Tied], ids=lambda m: m.__name__)
@pytest.mark.parametrize("how", ["scripted", "traced"])
def test_a_script_computes_the_same_with_the_same_names_at_every_batch(tmp_path, module, how):
    torch.manual_seed(0)
    original = module().eval()
    made = torch.jit.script(original) if how == "scripted" else torch.jit.trace(original, torch.rand(IMAGE))
    torch.jit.save(made, tmp_path / "a.pt")
    opened = open_torchscript(tmp_path / "a.pt", IMAGE)
    assert dict(opened.module.named_parameters()).keys() == dict(original.named_parameters()).keys()
    same(opened.module, original)
    same(opened.module, original, (3, *IMAGE[1:]))
    assert (opened.input_shape, opened.input_name, opened.notes) == (IMAGE, "x", ())


def test_parameters_that_are_not_trained_stay_parameters(tmp_path):
    opened = open_torchscript(script(tmp_path / "a.pt", Net().requires_grad_(False)), IMAGE)
    assert {name for name, _ in opened.module.named_parameters()} == {name for name, _ in Net().named_parameters()}


def test_a_trace_made_in_training_mode_is_opened_for_evaluation(tmp_path):
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5))
    torch.jit.save(torch.jit.trace(module, torch.rand(IMAGE), check_trace=False), tmp_path / "a.pt")
    same(open_torchscript(tmp_path / "a.pt", IMAGE).module, module.eval())


def test_a_frozen_script_keeps_its_weights_as_parameters(tmp_path):
    module = Net().eval()
    torch.jit.save(torch.jit.freeze(torch.jit.script(module)), tmp_path / "a.pt")
    opened = open_torchscript(tmp_path / "a.pt", IMAGE)
    same(opened.module, module)
    assert sum(p.numel() for p in opened.module.parameters()) >= 108 + 25
    assert "frozen" in opened.notes[0]


def test_without_a_shape_the_first_kernel_suggests_one(tmp_path):
    assert open_torchscript(script(tmp_path / "a.pt"), None, batch=2).input_shape == (2, 3, 224, 224)


@pytest.mark.parametrize(
    ("module", "shape", "message"),
    [
        (Net, (1, 4, 8, 8), "does not accept an input of shape 1x4x8x8.*--input 1,3,224,224"),
        (Two, IMAGE, "does not take one image tensor.*x: Tensor, y: Tensor"),
        (ByValue, IMAGE, "depends on the values in a tensor.*ONNX"),
    ],
)
def test_what_cannot_be_opened_is_explained(tmp_path, module, shape, message):
    with pytest.raises(ModelLoadError, match=message):
        open_torchscript(script(tmp_path / "a.pt", module()), shape)


def test_a_script_for_mkldnn_is_refused_with_the_remedy(tmp_path):
    module = torch.jit.optimize_for_inference(torch.jit.script(Net().eval()))
    torch.jit.save(module, tmp_path / "a.pt")
    with pytest.raises(ModelLoadError, match=r"MKLDNN.*before torch\.jit\.optimize_for_inference"):
        open_torchscript(tmp_path / "a.pt", IMAGE)


@pytest.mark.parametrize("trust", [False, True])
@pytest.mark.parametrize("build", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_nothing_of_a_forged_script_is_executed(tmp_path, build, trust):
    canary = tmp_path / "canary"
    path = build(tmp_path / "a.pt", canary)
    with pytest.raises(ModelLoadError):
        open_torchscript(path, IMAGE, trust=trust)
    assert not canary.exists()


@pytest.mark.parametrize("build", IGNORED_SCRIPTS.values(), ids=IGNORED_SCRIPTS.keys())
def test_what_is_not_needed_is_not_read(tmp_path, build):
    canary = tmp_path / "canary"
    opened = open_torchscript(build(tmp_path / "a.pt", canary), IMAGE)
    assert opened.module(torch.rand(IMAGE)).shape == (1, 5)
    assert not canary.exists()


def test_damaged_bytes_are_refused_or_give_a_network(tmp_path):
    """Every byte of the pickle and the code is changed in turn, which no reader may answer with anything else."""
    path = script(tmp_path / "a.pt")
    with zipfile.ZipFile(path) as archive:
        content = next(archive.read(n) for n in archive.namelist() if n.endswith("/data.pkl"))
    refused = 0
    random = np.random.default_rng(0)
    for place in random.choice(len(content), 60, replace=False):
        changed = bytearray(content)
        changed[place] ^= 1 << random.integers(8)
        rewrite(script(path), {"/data.pkl": lambda _, new=bytes(changed): new})
        try:
            open_torchscript(path, IMAGE)
        except ModelLoadError:
            refused += 1
    assert refused > 20


def test_torch_jit_is_never_asked(tmp_path, monkeypatch):
    path = script(tmp_path / "a.pt")
    monkeypatch.setattr(torch.jit, "load", lambda *_, **__: pytest.fail("torch.jit.load was called"))
    monkeypatch.setattr(torch._C, "import_ir_module", lambda *_: pytest.fail("torch read the archive"))
    assert open_torchscript(path, IMAGE).module is not None


NETWORKS = {
    "resnet18": lambda: timm.create_model("resnet18"),
    "mobilenetv3": lambda: timm.create_model("mobilenetv3_small_050"),
    "vit": lambda: timm.create_model("vit_tiny_patch16_224", img_size=64, scriptable=True),
    "efficientnet": lambda: timm.create_model("efficientnet_b0"),
    "swin": lambda: timm.create_model("swin_tiny_patch4_window7_224", img_size=64, window_size=2, depths=(1, 1, 1, 1)),
    "lraspp": lambda: torchvision.models.segmentation.lraspp_mobilenet_v3_large(weights=None, weights_backbone=None),
}


LONG = {"efficientnet", "swin", "lraspp"}  # in `make study`
BUILT = [
    pytest.param(build, id=name, marks=[pytest.mark.study] if name in LONG else []) for name, build in NETWORKS.items()
]


@pytest.mark.real
@pytest.mark.parametrize("build", BUILT)
@pytest.mark.parametrize("how", ["scripted", "traced"])
def test_real_networks_profile_and_export_as_before(tmp_path, build, how):
    torch.manual_seed(0)
    module, shape, path = build().eval(), (1, 3, 64, 64), tmp_path / "a.pt"
    made = torch.jit.script(module) if how == "scripted" else torch.jit.trace(module, torch.rand(shape), strict=False)
    torch.jit.save(made, path)
    opened = open_torchscript(path, shape).module
    before, after = profile_module(module, shape), profile_module(opened, shape)
    assert (after.macs, after.params) == (before.macs, before.params)
    assert not [op for op in after.ops if op.kind == "unknown"]
    x = torch.rand(shape)
    with torch.no_grad():
        expected, original = opened(x), module(x)
    original = original["out"] if isinstance(original, dict) else original
    torch.testing.assert_close(expected, original, rtol=1e-4, atol=1e-5)
    session = onnxruntime.InferenceSession(export_onnx(opened, shape, tmp_path / "a.onnx"))
    (given, *_) = session.run(None, {"input": x.numpy()})
    np.testing.assert_allclose(given, expected.numpy(), rtol=1e-3, atol=1e-4)


@pytest.mark.real
@pytest.mark.skipif(not MODELS.is_dir(), reason="the shared cases are not here")
@pytest.mark.parametrize(("name", "net"), [("resnet20", "ResNetCifar"), ("mobilenet", "CifarMobileNet")])
def test_the_shared_scripts_profile_like_their_source(monkeypatch, name, net):
    monkeypatch.syspath_prepend(str(MODELS.parent))
    source = getattr(pytest.importorskip("nets"), net)()
    sys.modules.pop("nets", None)
    opened = open_torchscript(MODELS / f"{name}_script.pt", (1, 3, 32, 32)).module
    before, after = profile_module(source, (1, 3, 32, 32)), profile_module(opened, (1, 3, 32, 32))
    assert (after.macs, after.params) == (before.macs, before.params)
