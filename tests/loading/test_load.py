import json

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn

from advisor.errors import ModelLoadError, UnknownNetwork
from advisor.loading import load

ARCH = "mobilenetv3_small_050"  # a small and quickly built network


@pytest.fixture(scope="module")
def trained():
    torch.manual_seed(3)
    return timm.create_model(ARCH, num_classes=7)


def _same(loaded, module):
    return all(
        torch.equal(a, b) for a, b in zip(loaded.state_dict().values(), module.state_dict().values(), strict=True)
    )


CONTAINERS = {
    "bare": lambda s: s,
    "state_dict": lambda s: {"state_dict": s, "epoch": 3},
    "model": lambda s: {"model": s, "optimizer": {"lr": 0.1}},
    "model_state_dict": lambda s: {"model_state_dict": s},
    "ema": lambda s: {"ema": s},
    "nested": lambda s: {"model": {"state_dict": s}},
    "data parallel": lambda s: {"state_dict": {f"module.{k}": v for k, v in s.items()}},
    "compiled": lambda s: {f"_orig_mod.{k}": v for k, v in s.items()},
    "both": lambda s: {f"module._orig_mod.{k}": v for k, v in s.items()},
}


@pytest.mark.parametrize("wrap", CONTAINERS.values(), ids=CONTAINERS.keys())
def test_weights_are_found_in_every_usual_container(tmp_path, trained, wrap):
    path = tmp_path / "checkpoint.pth"
    torch.save(wrap(trained.state_dict()), path)
    loaded = load(path, arch=ARCH)
    assert loaded.classes == 7
    assert not loaded.random_weights
    assert _same(loaded.module, trained)


def test_safetensors_and_the_timm_spelling_of_an_architecture(tmp_path, trained):
    path = tmp_path / "weights.safetensors"
    save_file(trained.state_dict(), path)
    for loaded in (load(path, arch=f"timm:{ARCH}"), load(f"timm:{ARCH}", checkpoint=path)):
        assert _same(loaded.module, trained)
        assert loaded.arch == f"timm:{ARCH}"


def test_input_channels_follow_the_checkpoint(tmp_path):
    path = tmp_path / "gray.pth"
    torch.save(timm.create_model(ARCH, in_chans=1).state_dict(), path)
    assert load(path, arch=ARCH, input_shape=(1, 64, 64)).input_shape == (1, 1, 64, 64)


def test_weights_without_architecture_are_recognised(tmp_path, trained):
    path = tmp_path / "weights.pth"
    torch.save(trained.state_dict(), path)
    loaded = load(path)
    assert ARCH in loaded.arch
    assert loaded.recognised == "exact but for 7 classes"
    assert _same(loaded.module, trained)


def test_weights_of_no_known_network_ask_for_it(tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(nn.Sequential(nn.Conv2d(3, 5, 3), nn.Linear(5, 6)).state_dict(), path)
    with pytest.raises(UnknownNetwork, match="--arch timm:NAME") as caught:
        load(path)
    assert caught.value.intake.tensors == 4


def test_a_transformer_of_another_image_size_takes_images_of_that_size(tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(timm.create_model("vit_tiny_patch16_224", img_size=64, num_classes=5).state_dict(), path)
    loaded = load(path)
    assert loaded.input_shape == (1, 3, 64, 64)
    assert loaded.preprocessing.size == (64, 64)
    assert load(path, input_shape=(3, 96, 96)).input_shape == (1, 3, 96, 96)


def test_weights_of_torchvision_are_recognised(tmp_path):
    path = tmp_path / "weights.pth"
    torch.save(torchvision.models.swin_t().state_dict(), path)
    loaded = load(path)
    assert loaded.arch == "torchvision:swin_t"


def test_weights_of_another_network_list_what_does_not_fit(tmp_path, trained):
    path = tmp_path / "weights.pth"
    weights = dict(trained.state_dict())
    weights["surplus.weight"] = weights.pop("conv_head.weight")
    torch.save(weights, path)
    with pytest.raises(ModelLoadError, match=r"1 missing in the file: conv_head\.weight; 1 unknown .*surplus\.weight"):
        load(path, arch=ARCH)


def test_a_checkpoint_without_weights_shows_its_keys(tmp_path):
    path = tmp_path / "log.pth"
    torch.save({"epoch": 3, "loss": 0.1}, path)
    with pytest.raises(ModelLoadError, match=r"no network weights.*'epoch', 'loss'"):
        load(path, arch=ARCH)


def test_an_unknown_architecture_offers_the_nearest():
    with pytest.raises(ModelLoadError, match=r"mobilenetv3_smal_050.*Did you mean .*mobilenetv3_small_050"):
        load("timm:mobilenetv3_smal_050")


@pytest.mark.parametrize("name", ["hf-hub:someone/net", "hf_hub:x", "", "../x"])
def test_names_that_would_download_are_refused(name):
    with pytest.raises(ModelLoadError, match="no network called"):
        load(f"timm:{name}")


def test_random_weights_are_the_same_each_time_and_leave_the_generator_alone():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, second = load(f"timm:{ARCH}"), load(f"timm:{ARCH}")
    assert _same(first.module, second.module)
    assert first.random_weights
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 0, 64, 64), "below 1"),
        ((1, 3, -1, 64), "below 1"),
        ((64,), "no input shape"),
        ((1, 3, 6.5, 64), "no input shape"),
        ((1, 5, 64, 64, 2), "does not accept an input of shape 1x5x64x64x2"),
    ],
)
def test_impossible_input_shapes_are_explained(shape, message):
    with pytest.raises(ModelLoadError, match=message):
        load(f"timm:{ARCH}", input_shape=shape)


def test_wrong_channels_name_the_right_number():
    module = nn.Sequential(nn.Conv2d(4, 8, 3), nn.ReLU())
    with pytest.raises(ModelLoadError, match=r"shape 1x3x8x8.*first convolution takes 4 channels"):
        load(module, input_shape=(3, 8, 8))


def test_an_image_too_small_for_the_network_is_explained():
    module = nn.Sequential(nn.Conv2d(3, 8, 7), nn.MaxPool2d(4))
    with pytest.raises(ModelLoadError, match="does not accept an input of shape 1x3x6x6"):
        load(module, input_shape=(3, 6, 6))


@pytest.mark.parametrize("batch", [0, -1, 1.5, True])
def test_an_impossible_batch_is_refused(batch):
    with pytest.raises(ModelLoadError, match="batch"):
        load(f"timm:{ARCH}", batch=batch)


def test_batch_and_shape_meet():
    module = nn.Sequential(nn.Conv2d(3, 2, 1))
    assert load(module, input_shape=(3, 8, 8), batch=4).input_shape == (4, 3, 8, 8)
    assert load(module, input_shape=(4, 3, 8, 8)).input_shape == (4, 3, 8, 8)
    with pytest.raises(ModelLoadError, match="contradicts the batch"):
        load(module, input_shape=(4, 3, 8, 8), batch=2)


def test_a_module_from_python_is_copied_and_not_touched():
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.LazyLinear(5)).train()
    module(torch.rand(2, 3, 8, 8))
    before = {k: v.clone() for k, v in module.state_dict().items()}
    loaded = load(module, input_shape=(3, 8, 8))
    assert loaded.module is not module
    assert not loaded.module.training
    assert module.training
    assert loaded.classes == 5
    with torch.no_grad():
        next(loaded.module.parameters()).zero_()
    assert all(torch.equal(v, before[k]) for k, v in module.state_dict().items())


def test_an_unknown_module_gets_its_channels_at_the_usual_size_and_assumed_preprocessing():
    loaded = load(nn.Sequential(nn.Conv2d(1, 4, 3)))
    assert loaded.input_shape == (1, 1, 224, 224)
    assert loaded.preprocessing.source == "assumed"
    assert len(loaded.preprocessing.mean) == 1


def test_preprocessing_comes_from_the_networks_own_description():
    preprocessing = load("timm:vit_tiny_patch16_224").preprocessing
    assert preprocessing.source == "pretrained_cfg"
    assert preprocessing.mean == (0.5, 0.5, 0.5)
    assert preprocessing.size == (224, 224)


def test_transformers_are_built_for_the_size_asked_for():
    assert load("timm:vit_tiny_patch16_224", input_shape=(3, 96, 96)).module.patch_embed.grid_size == (6, 6)


def test_the_spec_is_json_and_loads_the_same_model(tmp_path, trained):
    path = tmp_path / "weights.pth"
    torch.save({"model": trained.state_dict()}, path)
    loaded = load(path, arch=ARCH, input_shape=(3, 64, 64), batch=2)
    again = load(**json.loads(json.dumps(loaded.spec)))
    assert _same(again.module, loaded.module)
    assert (again.input_shape, again.arch, again.spec) == (loaded.input_shape, loaded.arch, loaded.spec)


def test_the_spec_notices_a_changed_file(tmp_path, trained):
    path = tmp_path / "weights.pth"
    torch.save(trained.state_dict(), path)
    spec = load(path, arch=ARCH).spec
    torch.save(timm.create_model(ARCH, num_classes=7).state_dict(), path)
    with pytest.raises(ModelLoadError, match="has changed"):
        load(**spec)


def test_the_spec_of_an_object_says_that_it_cannot_be_opened():
    spec = load(nn.Sequential(nn.Conv2d(3, 2, 1))).spec
    with pytest.raises(ModelLoadError, match="Python object"):
        load(**spec)


def test_two_files_at_once_are_refused(tmp_path):
    path = tmp_path / "a.pth"
    torch.save({}, path)
    with pytest.raises(ModelLoadError, match="two files"):
        load(path, checkpoint=path)


def test_a_module_that_needs_values_is_run_on_zeros():
    class Branch(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 2, 1)

        def forward(self, x):
            return self.conv(x) if x.sum().item() >= 0 else x

    assert load(Branch(), input_shape=(3, 4, 4)).input_shape == (1, 3, 4, 4)


def test_a_refused_input_is_told_by_the_error_alone(capfd):
    net = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.MaxPool2d(2))
    with pytest.raises(ModelLoadError, match="Output size is too small"):
        load(net, input_shape=(1, 3, 1, 1))
    assert capfd.readouterr().err == ""
