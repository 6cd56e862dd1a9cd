import functools
import os
import pickle
import zipfile

import numpy as np
import pytest
import timm
import torch
import torchvision
from torch import nn

from advisor.errors import ModelLoadError
from advisor.loading import load
from advisor.loading.pickle_code import follow
from advisor.loading.pickle_values import Refused
from advisor.loading.pickles import read_pickle
from advisor.loading.safe_names import LayerFactory, find_layer, resolve

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
    assert all(resolve(full) for full in wanted)


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
    with pytest.raises(ModelLoadError, match=r"plain pickle, not a checkpoint.*posix\.system"):
        load(path)
    assert not canary.exists()


def test_functions_are_refused(tmp_path):
    with pytest.raises(ModelLoadError, match="eval"):
        load(_save(tmp_path, {"state_dict": _Eval()}))


def test_a_layer_called_with_the_files_arguments_is_refused(tmp_path):
    with pytest.raises(ModelLoadError, match=r"calls layers or functions with arguments.*Linear"):
        load(_save(tmp_path, _CallsALayer()))


def test_partial_wraps_layers_only():
    assert isinstance(LayerFactory(nn.LayerNorm, eps=1e-6)(4), nn.LayerNorm)
    for harmful in (os.system, eval, print, dict, torch.fx.GraphModule):
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


def test_calls_are_followed_through_the_memo():
    survey = follow(pickle.dumps([_CallsALayer(), _Eval(), {"a": torch.Size([1])}], protocol=2))
    assert survey.called == {"torch.nn.modules.linear.Linear": False, "builtins.eval": True}
    assert survey.names == {"torch.nn.modules.linear.Linear", "builtins.eval", "torch.Size"}


def test_the_text_protocol_is_refused():
    with pytest.raises(Refused, match="unexpected pickle instruction"):
        follow(pickle.dumps({"a": [1, 2.5, "text"]}, 0))


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize("zipped", [True, False])
def test_later_protocols_load_the_same(tmp_path, protocol, zipped):
    module = timm.create_model("mobilenetv3_small_050", num_classes=5)
    value = {
        "model": module,
        "names": {"a", "b"},
        "same": [(1, "a")] * 2,
        "bytes": b"\x00\xff",
        "state": module.state_dict(),
    }
    path = tmp_path / "a.pt"
    torch.save(value, path, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
    loaded = read_pickle(path, legacy=not zipped, trust=False)
    for key, tensor in module.state_dict().items():
        assert torch.equal(loaded["model"].state_dict()[key], tensor)
        assert torch.equal(loaded["state"][key], tensor)
    assert all(loaded[key] == value[key] for key in ("names", "same", "bytes"))


def test_plain_objects_beside_the_weights_are_accepted(tmp_path):
    import argparse
    import pathlib

    module = _small_resnet()
    path = _save(tmp_path, {"model": module, "args": argparse.Namespace(lr=0.1), "out": pathlib.Path("runs")})
    assert load(path, input_shape=IMAGE).classes == 5


def test_trust_opens_a_plain_pickle_as_well(tmp_path):
    path = tmp_path / "plain.pkl"
    path.write_bytes(pickle.dumps(nn.Linear(2, 3)))
    assert isinstance(read_pickle(path, legacy=True, trust=True), nn.Linear)


def test_quantized_tensors_and_tensors_with_marks_load(tmp_path):
    weight = torch.quantize_per_channel(
        torch.rand(2, 3), torch.tensor([0.1, 0.2]), torch.tensor([0, 1]), 0, torch.qint8
    )
    marked = nn.Parameter(torch.ones(2))
    marked.no_weight_decay = True
    loaded = read_pickle(_save(tmp_path, {"q": weight, "m": marked}), legacy=False, trust=False)
    assert torch.equal(loaded["q"].int_repr(), weight.int_repr())
    assert loaded["m"].no_weight_decay is True


def test_tensors_that_share_data_share_it_again(tmp_path):
    whole = torch.arange(12.0).reshape(3, 4)
    value = {"whole": whole, "turned": whole.t(), "row": whole[1], "wide": torch.ones(1, 4).expand(3, 4)}
    loaded = read_pickle(_save(tmp_path, value), legacy=False, trust=False)
    assert all(torch.equal(loaded[key], tensor) for key, tensor in value.items())
    assert loaded["turned"].data_ptr() == loaded["whole"].data_ptr()


@pytest.mark.parametrize("value", [np.float64(0.71), np.float32(2.5), np.int64(7), np.bool_(True)])
def test_figures_of_numpy_beside_the_weights_load(tmp_path, value):
    loaded = read_pickle(_save(tmp_path, {"best": value, "w": torch.ones(1)}), legacy=False, trust=False)
    assert loaded["best"] == value
    assert type(loaded["best"]) is type(value)


def test_recurrent_layers_load(tmp_path):
    network = nn.LSTM(3, 4, num_layers=2, bidirectional=True)
    loaded = read_pickle(_save(tmp_path, network), legacy=False, trust=False)
    x = torch.rand(2, 1, 3)
    assert torch.equal(loaded(x)[0], network(x)[0])
