import functools
import os
import pickle
import zipfile

import pytest
import timm
import torch
import torchvision
from torch import nn

from advisor.errors import ModelLoadError
from advisor.loading import load
from advisor.loading.pickle_code import called_names
from advisor.loading.pickles import LayerFactory, find_layer

IMAGE = (1, 3, 32, 32)


class Strange(nn.Module):
    """A user's own class, on no list."""

    def forward(self, x):
        return x


class _Shell:
    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return os.system, (f"touch {self.canary}",)


class _CallsALayer:
    def __reduce__(self):
        return nn.Linear, (3, 4)


class _Eval:
    def __reduce__(self):
        return eval, ("1 + 1",)


def _save(tmp_path, value):
    path = tmp_path / "saved.pt"
    torch.save(value, path)
    return path


def _small_resnet():
    return timm.models.ResNet(timm.models.resnet.BasicBlock, [1] * 4, channels=(8, 8, 16, 16), num_classes=5)


SAVED = {
    "sequential": lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten()),
    "timm vit": lambda: timm.create_model("vit_tiny_patch16_224", img_size=32, depth=1, num_classes=5),
    "timm mobilenetv3": lambda: timm.create_model("mobilenetv3_small_050", num_classes=5),
    "torchvision vit": lambda: torchvision.models.VisionTransformer(32, 16, 1, 2, 16, 32, num_classes=5),
}


@pytest.mark.parametrize("build", SAVED.values(), ids=SAVED.keys())
def test_pickled_networks_of_known_packages_load_and_compute_the_same(tmp_path, build):
    torch.manual_seed(0)
    module = build().eval()
    loaded = load(_save(tmp_path, module), input_shape=IMAGE)
    x = torch.rand(IMAGE)
    with torch.no_grad():
        torch.testing.assert_close(loaded.module(x), module(x))


REAL = ["resnet18", "swin_tiny_patch4_window7_224", "efficientnet_b0", "convnext_atto", "mobilenetv2_100"]


@pytest.mark.real
@pytest.mark.parametrize(
    "name", [*REAL, "densenet121", "regnetx_002", "repvgg_a0", "mobilevit_xxs", "inception_v3", "vgg11"]
)
def test_every_layer_that_timm_pickles_ask_for_is_found(tmp_path, name):
    with torch.device("meta"):
        path = _save(tmp_path, timm.create_model(name))
    wanted = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    assert wanted
    assert all(find_layer(full) or full == "timm.layers.format.Format" for full in wanted)


def test_a_foreign_class_is_refused_by_name_with_the_option_that_allows_it(tmp_path):
    with pytest.raises(ModelLoadError, match=r"test_pickles\.Strange.*--trust.*PYTHONPATH"):
        load(_save(tmp_path, Strange()))


def test_trust_loads_a_foreign_class(tmp_path):
    loaded = load(_save(tmp_path, Strange()), trust=True, input_shape=IMAGE)
    assert isinstance(loaded.module, Strange)
    assert loaded.spec["trust"] is True


def test_trust_explains_a_class_that_cannot_be_imported(tmp_path):
    path = _save(tmp_path, Strange())
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data.replace(b"Strange", b"Missing"))
    with pytest.raises(ModelLoadError, match=r"cannot be imported.*PYTHONPATH"):
        load(path, trust=True)


@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: {"state_dict": {"w": torch.ones(1)}, "extra": v}])
def test_a_shell_command_in_a_pickle_does_not_run(tmp_path, wrap):
    canary = tmp_path / "canary"
    with pytest.raises(ModelLoadError, match=r"posix\.system"):
        load(_save(tmp_path, wrap(_Shell(canary))), arch="resnet18")
    assert not canary.exists()


def test_a_shell_command_in_an_old_pickle_does_not_run(tmp_path):
    canary, path = tmp_path / "canary", tmp_path / "old.pth"
    path.write_bytes(pickle.dumps(_Shell(canary), protocol=2))
    with pytest.raises(ModelLoadError, match="cannot be read safely"):
        load(path)
    assert not canary.exists()


def test_functions_are_refused(tmp_path):
    with pytest.raises(ModelLoadError, match="eval"):
        load(_save(tmp_path, {"state_dict": _Eval()}))


def test_a_layer_called_with_the_files_arguments_is_refused(tmp_path):
    with pytest.raises(ModelLoadError, match=r"calls layers with arguments.*Linear"):
        load(_save(tmp_path, _CallsALayer()))


def test_partial_wraps_layers_only():
    assert isinstance(LayerFactory(nn.LayerNorm, eps=1e-6)(4), nn.LayerNorm)
    for harmful in (os.system, eval, print, dict, Strange):
        with pytest.raises(TypeError):
            LayerFactory(harmful)
    with pytest.raises(TypeError):
        LayerFactory(nn.ReLU).__setstate__((os.system, (), {}, None))


def test_a_partial_of_a_command_in_a_file_does_not_load(tmp_path):
    module = nn.Sequential(nn.ReLU())
    module.activation = functools.partial(os.system, "true")
    with pytest.raises(ModelLoadError, match=r"posix\.system"):
        load(_save(tmp_path, module))


@pytest.mark.parametrize(
    "name",
    [
        "torch.nn.modules.module.Module.forward",
        "torch.nn.functional.relu",
        "torch.fx.graph_module.GraphModule",
        "timm.models._builder.build_model_with_cfg",
        "timm.utils.model_ema.ModelEma",
        "timm.models.resnet.nn",
        "os.system",
        "torch.nn.modules.nowhere.Linear",
    ],
)
def test_only_layer_classes_of_the_layer_packages_are_found(name):
    assert find_layer(name) is None


def test_called_names_follow_the_memo():
    code = pickle.dumps([_CallsALayer(), _Eval(), {"a": torch.Size([1])}], protocol=2)
    assert called_names(code) == {"torch.nn.modules.linear.Linear", "__builtin__.eval", "torch.Size"}


def test_instructions_that_torch_never_writes_are_refused():
    with pytest.raises(ValueError, match="STACK_GLOBAL"):
        called_names(pickle.dumps(_Eval(), protocol=4))


def test_plain_objects_beside_the_weights_are_accepted(tmp_path):
    import argparse
    import pathlib

    module = _small_resnet()
    path = _save(tmp_path, {"model": module, "args": argparse.Namespace(lr=0.1), "out": pathlib.Path("runs")})
    assert load(path, input_shape=IMAGE).classes == 5
