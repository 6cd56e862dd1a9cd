import re
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from advisor.errors import ModelLoadError
from advisor.loading.checkpoints import fill, find_content, inside, stated_architecture


def test_a_network_whose_own_names_begin_like_a_wrapper_is_filled(tmp_path):
    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = nn.Linear(3, 2)

    trained, module = Wrapped(), Wrapped()
    weights, _ = find_content({"model": trained.state_dict()}, tmp_path)
    fill(module, weights, tmp_path, "python:nets:make")
    assert torch.equal(module.model.weight, trained.model.weight)


def _put(state, before, after=""):
    """Rename the entries as wrappers do: something before every name, something after the number of the layer."""
    return {before + name.replace(".", f".{after}", 1): tensor for name, tensor in state.items()}


CONTAINERS = {
    "averaged beside": (lambda s: {"state_dict": s, "state_dict_ema": {}}, "'state_dict' .* also holds state_dict_ema"),
    "ultralytics": (lambda s: {"model": None, "ema": s, "optimizer": None}, "'ema'"),
    "RT-DETR": (lambda s: {"ema": {"module": s, "updates": 3}}, "'module'"),
    "DINO": (lambda s: {"student": s, "teacher": s, "epoch": 1}, "'teacher' .* also holds student"),
    "BasicSR": (lambda s: {"params_ema": s}, "'params_ema'"),
    "Composer": (lambda s: {"state": {"model": s, "optimizers": {"adam": {}}}}, "'model'"),
    "a name of one's own": (lambda s: {"generator": s, "optimizer": {"state": {}, "param_groups": []}}, "'generator'"),
    "averaged by torch": (lambda s: {"model": {"n_averaged": torch.tensor(3), **_put(s, "module.")}}, "'model'"),
    "FSDP": (lambda s: {"model": _put(s, "_fsdp_wrapped_module.", "_fsdp_wrapped_module.")}, "'model'"),
    "compiled layer": (lambda s: {"net": _put(s, "model.", "_orig_mod.")}, "'net'"),
}


@pytest.mark.parametrize(("wrap", "note"), CONTAINERS.values(), ids=CONTAINERS.keys())
def test_weights_are_found_where_training_code_puts_them(tmp_path, wrap, note):
    trained = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    weights, notes = find_content(wrap(trained.state_dict()), tmp_path)
    assert {k for k in weights if k != "n_averaged"} == trained.state_dict().keys()
    assert any(re.search(note, one) for one in notes)


@pytest.mark.parametrize(
    "stored",
    [
        {"epoch": 3},
        [1, 2],
        {"state_dict": {"state_dict": {"state_dict": {"state_dict": {"state_dict": {}}}}}},
        {"optimizer": {"state": {0: {"step": 1}}, "param_groups": []}},
        {"model": {"w": 1}},
    ],
)
def test_checkpoints_without_weights_are_refused(tmp_path, stored):
    with pytest.raises(ModelLoadError, match="holds no network weights"):
        find_content(stored, tmp_path)


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ({"arch": "resnet50", "state_dict": {}}, "resnet50"),
        ({"model": {}, "args": SimpleNamespace(model="deit_tiny", lr=0.1)}, "deit_tiny"),
        ({"hyper_parameters": {"model_name": "vit"}}, "vit"),
        ({"arch": 3, "args": None}, ""),
        ({"arch": "x" * 1000}, ""),
        ([], ""),
    ],
)
def test_the_architecture_noted_beside_the_weights_is_read(stored, expected):
    assert stated_architecture(stored) == expected


def test_weights_under_a_prefix_are_taken_out():
    assert list(inside({"model.a": torch.zeros(1), "loss.b": torch.zeros(1)}, "model.")) == ["a"]
