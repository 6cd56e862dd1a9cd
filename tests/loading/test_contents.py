import copyreg
from collections import OrderedDict

import pytest
import torch
from torch import nn

from advisor.errors import ModelLoadError
from advisor.loading.pickles import read_pickle


def _refused(path):
    with pytest.raises(ModelLoadError) as caught:
        read_pickle(path, legacy=False, trust=False)
    assert caught.value.remedy
    assert str(path) in caught.value.where
    return caught.value


class _State:
    """Pickles as an object of another class, filled with this state."""

    def __init__(self, kind, state):
        self.kind, self.state = kind, state

    @property
    def __class__(self):
        return self.kind

    def __reduce_ex__(self, protocol):
        return copyreg.__newobj__, (self.kind,), self.state


def _identity(**changes):
    state = dict(nn.Identity().__dict__)
    state.update(changes)
    return _State(nn.Identity, state)


def _without(key):
    state = dict(nn.Identity().__dict__)
    del state[key]
    return _State(nn.Identity, state)


def _ring():
    ring = []
    ring.append(ring)
    return ring


def _deep(levels=400):
    value = []
    for _ in range(levels):
        value = [value]
    return value


def _part_of_itself():
    module = nn.Sequential(nn.ReLU())
    module._modules["again"] = module
    return module


def _with(module, **attributes):
    module.__dict__.update(attributes)
    return module


HOOKS = [
    "_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks", "_state_dict_hooks",
    "_state_dict_pre_hooks", "_load_state_dict_pre_hooks", "_load_state_dict_post_hooks", "_forward_hooks_with_kwargs",
]  # fmt: skip


@pytest.mark.parametrize("hooks", HOOKS)
def test_hooks_are_refused_even_if_harmless(tmp_path, hooks):
    torch.save(nn.Sequential(_with(nn.Linear(2, 2), **{hooks: OrderedDict({0: nn.ReLU()})})), tmp_path / "a.pt")
    assert f"carries hooks ({hooks})" in _refused(tmp_path / "a.pt").what


@pytest.mark.parametrize("method", ["forward", "train", "to", "_call_impl", "__call__", "state_dict", "extra_repr"])
def test_a_method_replaced_in_the_instance_is_refused(tmp_path, method):
    torch.save(_with(nn.Linear(2, 2), **{method: nn.ReLU()}), tmp_path / "a.pt")
    assert method in (error := _refused(tmp_path / "a.pt")).what or "no name" in error.what


STATES = {
    "a compiled call": (lambda: _identity(_compiled_call_impl=nn.ReLU()), "replaces how it is called"),
    "parts that are a list": (lambda: _identity(_modules=[]), "no _modules"),
    "a part that is a text": (lambda: _identity(_modules={"a": "text"}), "which is none"),
    "a part that is a class": (lambda: _identity(_modules={"a": nn.ReLU}), "which is none"),
    "a part with a reserved name": (lambda: _identity(_modules={"_backward_hooks": nn.ReLU()}), "impossible name"),
    "a part with a dot": (lambda: _identity(_modules={"a.b": nn.ReLU()}), "impossible name"),
    "an attribute before a part": (lambda: _identity(_modules={"a": nn.ReLU()}, a=nn.Linear), "two things called 'a'"),
    "a parameter that is a tensor": (lambda: _identity(_parameters={"a": torch.ones(1)}), "which is none"),
    "no hooks at all": (lambda: _without("_backward_hooks"), "incomplete"),
    "no mode": (lambda: _without("training"), "incomplete"),
    "a list in itself": (_ring, "holds itself"),
    "a layer in itself": (_part_of_itself, "part of itself"),
    "lists 400 deep": (_deep, "levels deep"),
    "a storage": (lambda: {"a": torch.ones(2).untyped_storage()}, "an object of"),
}


@pytest.mark.parametrize(("make", "message"), STATES.values(), ids=STATES.keys())
def test_a_state_that_no_layer_has_is_refused(tmp_path, make, message):
    torch.save(make(), tmp_path / "a.pt")
    assert message in str(_refused(tmp_path / "a.pt"))


def test_the_place_in_the_network_is_told(tmp_path):
    network = nn.Sequential(nn.ReLU(), nn.Sequential(_with(nn.ReLU(), forward=nn.ReLU())))
    torch.save({"model": network}, tmp_path / "a.pt")
    assert _refused(tmp_path / "a.pt").where.endswith("a.pt: model.1.0")


def test_activations_that_are_functions_are_kept(tmp_path):
    network = nn.TransformerEncoderLayer(8, 2, 16, activation="gelu").eval()
    torch.save(network, tmp_path / "a.pt")
    loaded = read_pickle(tmp_path / "a.pt", legacy=False, trust=False)
    x = torch.rand(1, 3, 8)
    assert torch.equal(loaded(x), network(x))


def test_a_network_twice_in_a_file_is_one_network(tmp_path):
    network = nn.Linear(2, 2)
    torch.save({"model": network, "ema": network}, tmp_path / "a.pt")
    loaded = read_pickle(tmp_path / "a.pt", legacy=False, trust=False)
    assert loaded["model"] is loaded["ema"]
