import copy
import io
import json
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
from torch._subclasses.fake_tensor import FakeTensorMode

from advisor.errors import ModelLoadError
from advisor.loading.exported import open_exported
from advisor.loading.rehearsal import fake_copy
from advisor.profiling import profile_module
from advisor.runtimes.onnx_export import export_onnx

from .script_attacks import EXPORTS, IGNORED_EXPORTS, IMAGE, Net, exported, rewrite

MODELS = Path(__file__).parents[3] / "shared" / "cases" / "models"


class Blocks(nn.Module):
    """Blocks without gradients, several outputs, sizes of the input, tied weights."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 1)
        self.b.weight = self.a.weight
        self.register_buffer("shift", torch.rand(4, 1, 1), persistent=False)

    def forward(self, x):
        with torch.no_grad():
            y = self.a(x) + self.shift
        first, second = y.split(2, 1)
        return first.reshape(x.shape[0], -1), second.max(1)[0] + self.b(x).mean(1)


def same(opened, module, shape=IMAGE):
    x = torch.rand(shape)
    with torch.no_grad():
        torch.testing.assert_close(opened(x), module.eval()(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("module", [Net, Blocks], ids=lambda m: m.__name__)
def test_a_graph_computes_the_same_with_the_same_names_at_every_batch(tmp_path, module):
    torch.manual_seed(0)
    original = module()
    opened = open_exported(exported(tmp_path / "a.pt2", original), None, batch=2)
    assert dict(opened.module.named_parameters()).keys() == dict(original.named_parameters()).keys()
    for batch in (1, 2, 3):
        same(opened.module, original, (batch, *IMAGE[1:]))
    assert (opened.input_shape, opened.input_name) == ((2, *IMAGE[1:]), "x")


def test_the_network_can_be_copied_and_run_without_values(tmp_path):
    module = open_exported(exported(tmp_path / "a.pt2"), IMAGE).module
    same(copy.deepcopy(module), module)
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    copied = fake_copy(module, mode)
    with mode:
        assert copied(torch.zeros(IMAGE)).shape == (1, 5)


@pytest.mark.parametrize(
    ("shape", "batch", "message"),
    [
        (None, 4, "exported for a batch of 1, not 4.*dynamic_shapes"),
        ((2, 3, 8, 8), 1, "exported for a batch of 1, not 2.*dynamic_shapes"),
        ((1, 3, 9, 9), 1, "does not accept an input of shape 1x3x9x9.*exported for 1x3x8x8"),
        ((1, 3), 1, "does not accept an input of shape 1x3.*exported for 1x3x8x8"),
    ],
)
def test_a_fixed_input_that_does_not_fit_is_explained(tmp_path, shape, batch, message):
    with pytest.raises(ModelLoadError, match=message):
        open_exported(exported(tmp_path / "a.pt2", open_batch=False), shape, batch=batch)


@pytest.mark.parametrize("open_batch", [True, False])
def test_without_a_shape_that_of_the_example_is_taken(tmp_path, open_batch):
    assert open_exported(exported(tmp_path / "a.pt2", open_batch=open_batch), None).input_shape == IMAGE


def test_archives_of_the_older_layout_open(tmp_path):
    original = Net().eval()
    with zipfile.ZipFile(exported(tmp_path / "new.pt2", original)) as archive:
        document = next(archive.read(n) for n in archive.namelist() if n.endswith("models/model.json"))
    weights, constants = io.BytesIO(), io.BytesIO()
    torch.save(dict(original.state_dict()), weights)
    torch.save({}, constants)
    with zipfile.ZipFile(tmp_path / "old.pt2", "w") as archive:
        archive.writestr("version", "8.2")
        archive.writestr("serialized_exported_program.json", document)
        archive.writestr("serialized_state_dict.pt", weights.getvalue())
        archive.writestr("serialized_constants.pt", constants.getvalue())
    same(open_exported(tmp_path / "old.pt2", IMAGE).module, original)


def test_another_major_version_is_refused(tmp_path):
    def age(content):
        return json.dumps(json.loads(content) | {"schema_version": {"major": 9, "minor": 0}}).encode()

    with pytest.raises(ModelLoadError, match=r"version 9 of torch\.export's format"):
        open_exported(rewrite(exported(tmp_path / "a.pt2"), {"models/model.json": age}), IMAGE)


@pytest.mark.parametrize("trust", [False, True])
@pytest.mark.parametrize("build", EXPORTS.values(), ids=EXPORTS.keys())
def test_nothing_of_a_forged_archive_is_executed(tmp_path, build, trust):
    canary = tmp_path / "canary"
    path = build(tmp_path / "a.pt2", canary)
    with pytest.raises(ModelLoadError):
        open_exported(path, IMAGE, trust=trust)
    assert not canary.exists()


@pytest.mark.parametrize("build", IGNORED_EXPORTS.values(), ids=IGNORED_EXPORTS.keys())
def test_what_is_not_needed_is_not_read(tmp_path, build):
    canary = tmp_path / "canary"
    opened = open_exported(build(tmp_path / "a.pt2", canary), IMAGE)
    assert opened.module(torch.rand(IMAGE)).shape == (1, 5)
    assert not canary.exists()


def test_the_classes_of_pickled_weights_are_named(tmp_path):
    with pytest.raises(ModelLoadError, match=r"stores objects of posix\.system"):
        open_exported(EXPORTS["runs code in a weight"](tmp_path / "a.pt2", tmp_path / "canary"), IMAGE)


NETWORKS = {
    "resnet18": lambda: timm.create_model("resnet18"),
    "mobilenetv3": lambda: timm.create_model("mobilenetv3_small_050"),
    "vit": lambda: timm.create_model("vit_tiny_patch16_224", img_size=64),
    "efficientnet": lambda: timm.create_model("efficientnet_b0"),
    "lraspp": lambda: torchvision.models.segmentation.lraspp_mobilenet_v3_large(weights=None, weights_backbone=None),
}


LONG = {"efficientnet", "swin", "lraspp"}  # in `make study`
BUILT = [
    pytest.param(build, id=name, marks=[pytest.mark.study] if name in LONG else []) for name, build in NETWORKS.items()
]


@pytest.mark.real
@pytest.mark.parametrize("build", BUILT)
def test_real_networks_profile_and_export_as_before(tmp_path, build):
    torch.manual_seed(0)
    module, shape = build().eval(), (1, 3, 64, 64)
    opened = open_exported(exported(tmp_path / "a.pt2", module, shape=shape), shape).module
    before, after = profile_module(module, shape), profile_module(opened, shape)
    assert (after.macs, after.params) == (before.macs, before.params)
    assert [op.kind for op in after.ops] == [op.kind for op in before.ops]
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
def test_the_shared_archives_profile_like_their_source(monkeypatch, name, net):
    monkeypatch.syspath_prepend(str(MODELS.parent))
    source = getattr(pytest.importorskip("nets"), net)()
    sys.modules.pop("nets", None)
    opened = open_exported(MODELS / f"{name}_export.pt2", None).module
    before, after = profile_module(source, (1, 3, 32, 32)), profile_module(opened, (1, 3, 32, 32))
    assert (after.macs, after.params) == (before.macs, before.params)
