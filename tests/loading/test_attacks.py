import copyreg
import os
import pickle
import socket

import pytest
import torch
from torch import nn

from advisor.errors import ModelLoadError
from advisor.loading.files import Kind, recognise
from advisor.loading.pickles import read_pickle

from . import attacks
from .attacks import CARRIERS, call, filled, legacy_file, name, plain, storage, tensor, zip_file

GADGETS = [
    "os.system", "os.spawn", "subprocess", "eval", "exec", "eval of Python 2", "open", "io.open", "mkdir", "runpy",
    "timeit", "getattr", "attrgetter", "methodcaller", "pickle.load", "pickle.loads", "numpy.load", "torch.hub",
    "functools.reduce", "list of map", "partial",
]  # fmt: skip
SPELLINGS = [
    "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "STACK_GLOBAL", "STACK_GLOBAL from the memo", "EXT1", "EXT2", "EXT4", "DUP",
    "BUILD", "hook", "beside weights", "in a tuple of a persistent id", "module as a persistent id",
    "the builder of a tensor", "two lines in a name",
]  # fmt: skip
IDENTITY = name("torch.nn.modules.linear", "Identity")


def _open(path):
    return read_pickle(path, legacy=recognise(path) is Kind.LEGACY_TORCH, trust=False)


def _refused(path):
    """Return the error; it must say what, where and how to mend it, in one line each."""
    with pytest.raises(ModelLoadError) as caught:
        _open(path)
    error = caught.value
    for part in (error.what, error.where, error.remedy):
        assert part
        assert "\n" not in part
    assert str(path) in error.where
    return error


@pytest.fixture
def extension():
    copyreg.add_extension("posix", "system", 0xF1)
    yield
    copyreg.remove_extension("posix", "system", 0xF1)


@pytest.mark.parametrize("gadget", GADGETS)
def test_the_gadgets_run_where_nothing_holds_them_back(tmp_path, gadget):
    code = attacks.gadgets(tmp_path)[gadget]
    pickle.loads(b"\x80\x02" + code + b".")
    assert (tmp_path / "canary").exists()


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS.keys())
@pytest.mark.parametrize("gadget", GADGETS)
def test_no_gadget_runs_from_any_carrier(tmp_path, gadget, carrier, protocol):
    _refused(carrier(tmp_path / "model.pt", attacks.gadgets(tmp_path)[gadget], protocol=protocol))
    assert not (tmp_path / "canary").exists()


@pytest.mark.usefixtures("extension")
@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS.keys())
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_a_command_runs(tmp_path, spelling, carrier, protocol):
    _refused(carrier(tmp_path / "model.pt", attacks.spellings(tmp_path)[spelling], protocol=protocol))
    assert not (tmp_path / "canary").exists()


def test_the_tables_of_cases_are_complete(tmp_path):
    assert list(attacks.gadgets(tmp_path)) == GADGETS
    assert list(attacks.spellings(tmp_path)) == SPELLINGS


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS.keys())
def test_no_socket_is_opened_and_no_environment_changed(tmp_path, carrier):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.01)
        _refused(carrier(tmp_path / "a.pt", call(name("socket", "create_connection"), plain(server.getsockname()))))
        with pytest.raises(TimeoutError):
            server.accept()
    _refused(carrier(tmp_path / "b.pt", call(name("posix", "putenv"), plain(b"CANARY"), plain(b"1"))))
    assert "CANARY" not in os.environ


def test_a_module_that_the_file_names_is_not_imported(tmp_path, monkeypatch):
    (tmp_path / "tempting.py").write_text(f"open({str(tmp_path / 'canary')!r}, 'w').close()\nclass Net: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    error = _refused(zip_file(tmp_path / "a.pt", filled(name("tempting", "Net"))))
    assert "--allow-package tempting" in error.remedy
    assert not (tmp_path / "canary").exists()


V2, V3 = name("torch._utils", "_rebuild_tensor_v2"), name("torch._utils", "_rebuild_tensor_v3")
META = name("torch._utils", "_rebuild_meta_tensor_no_storage")
EMPTY = call(name("collections", "OrderedDict"))
TRICKS = {
    "a size beyond the data": (tensor(size=(10**9,)), "reaches beyond its data"),
    "an offset beyond the data": (tensor(offset=1), "reaches beyond its data"),
    "strides beyond the data": (tensor(stride=(2,)), "reaches beyond its data"),
    "negative strides": (tensor(stride=(-1,)), "impossible shape"),
    "a size whose product overflows": (tensor(size=(2**40, 2**40), stride=(0, 0)), "larger than any memory"),
    "65 axes": (tensor(size=(1,) * 65, stride=(1,) * 65), "impossible shape"),
    "a value repeated a billion times": (tensor(size=(2**30,), stride=(0,)), "repeats data"),
    "values repeated often and often": (b"](" + tensor(size=(2**25,), stride=(0,)) * 4 + b"e", "repeats data"),
    "data shorter than asked": (tensor(count=100, size=(100,)), "shorter than the 400 bytes"),
    "data that is not there": (tensor(key="7"), "shorter than the 16 bytes"),
    "data outside the folder": (tensor(key="../data.pkl"), "shorter than the 16 bytes"),
    "a length below zero": (tensor(count=-4), "impossible length"),
    "an enormous length": (tensor(count=2**62, size=(2**48,)), "impossible length"),
    "data of an unknown type": (storage(kind=name("torch", "StrangeStorage")), "unknown type"),
    "data whose type is a layer": (storage(kind=IDENTITY), "unknown type"),
    "a number as persistent id": (plain(7) + b"Q", "named in an unknown way"),
    "a text as persistent id": (plain("0") + b"Q", "named in an unknown way"),
    "no values, 1e15 elements": (
        call(META, name("torch", "float32"), plain((10**15,)), plain((1,)), plain(False)), "impossible shape"),
    "no values, 1e12 elements": (
        call(META, name("torch", "float32"), plain((10**12,)), plain((1,)), plain(False)), "is too large"),
    "an open dictionary": (EMPTY + b"}" + plain("items") + IDENTITY + b"sb", "state that does not belong"),
    "a type that is no type": (
        call(META, name("torch", "Tensor"), plain((1,)), plain((1,)), plain(False)), "unknown type"),
    "items smaller than stored": (
        call(V3, storage(), plain(0), plain((8,)), plain((1,)), plain(False), EMPTY, name("torch", "float32")),
        "reaches beyond its data"),
    "a tensor made by a layer": (
        call(name("torch._tensor", "_rebuild_from_type_v2"), name("torch.nn.modules.linear", "Linear"),
             name("torch", "Tensor"), plain((3, 4)), b"}"), "is built by torch.nn.modules.linear.Linear"),
    "a tensor that changes its class": (
        call(name("torch._utils", "_rebuild_parameter_with_state"), tensor(), plain(True), EMPTY,
             b"}" + plain("__class__") + IDENTITY + b"s"), "attributes that are not plain"),
    "a hook in a tensor": (
        call(V2, storage(), plain(0), plain((4,)), plain((1,)), plain(True), b"}" + plain(0) + IDENTITY + b"s"),
        "carries hooks"),
    "a hook added to a tensor later": (
        b"](" + EMPTY + b"q\x01" + call(V2, storage(), plain(0), plain((4,)), plain((1,)), plain(True), b"h\x01")
        + b"h\x01" + plain(0) + IDENTITY + b"se", "carries hooks"),
    "a bytearray of a terabyte": (call(name("builtins", "bytearray"), plain(10**12)), "other than its bytes"),
    "a codec that unpacks": (call(name("_codecs", "encode"), plain("x"), plain("zlib")), "encoding 'zlib'"),
    "a storage of a terabyte": (call(name("torch.storage", "UntypedStorage"), plain(10**12)), "arguments of its own"),
    "a tensor of a terabyte": (call(name("torch", "Tensor"), plain(10**12)), "arguments of its own"),
    "a sparse tensor": (
        call(name("torch._utils", "_rebuild_sparse_tensor"), plain(0), plain(())), "arguments of its own"),
    "a layer called": (
        call(name("torch.nn.modules.linear", "Linear"), plain(3), plain(4)), "arguments of its own"),
    "a function called": (call(name("torch.nn.functional", "relu"), tensor()), "arguments of its own"),
    "a layer created with arguments": (IDENTITY + plain((3, 4)) + b"\x81", "arguments of the file's own"),
    "a class filled with state": (IDENTITY + b"}" + plain("forward") + IDENTITY + b"sb", "state that does not belong"),
    "a partial filled anew": (
        call(name("functools", "partial"), IDENTITY) + b"}" + plain("a") + b"Nsb", "state that does not belong"),
    "a partial with attributes": (
        call(name("functools", "partial"), IDENTITY) + b"(" + IDENTITY + b")}}" + plain("a") + b"Nstb",
        "attributes of its own"),
    "a figure of numpy that is an object": (
        call(name("numpy", "dtype"), plain("O8"), plain(False), plain(True)), "type 'O8'"),
    "a figure of numpy with fields": (
        call(name("numpy", "dtype"), plain("f8")) + plain((3, "<", None, ("a",), {}, 8, 1, 16)) + b"b",
        "state that does not belong"),
    "a recurrent layer of a billion layers": (
        filled(name("torch.nn.modules.rnn", "LSTM"), num_layers=plain(10**9)), "impossible number of layers"),
    "a recurrent layer of as many layers as a tensor says": (
        filled(name("torch.nn.modules.rnn", "LSTM"), num_layers=tensor()), "impossible number of layers"),
    "a long text that is not there": (b"X\xff\xff\xff\xff", "longer than"),
    "a length of eight bytes": (b"\x8d" + b"\xff" * 7 + b"\x0f", "longer than"),
    "a number of gigabytes": (b"\x8b\xff\xff\xff\x7f", "longer than"),
    "an empty stack": (b"R", "damaged"),
    "a memo that was not filled": (b"h\x07", "damaged"),
    "no mark": (b"t", "damaged"),
    "a name with a line in it": (b"\x8c\x07os\nname\x8c\x06system\x93", "no name"),
    "a name with a backslash": (b"cos\\x2e\nsystem\n", "no name"),
}  # fmt: skip


@pytest.mark.parametrize(("code", "message"), TRICKS.values(), ids=TRICKS.keys())
def test_a_trick_with_tensors_or_lengths_is_refused(tmp_path, code, message):
    assert message in str(_refused(zip_file(tmp_path / "a.pt", code, data={"0": bytes(16)})))


def test_the_honest_forms_of_the_tricks_load(tmp_path):
    expected = torch.arange(4.0)
    content = {"0": expected.numpy().tobytes()}
    for carrier, data in ((zip_file, storage()), (legacy_file, storage(view=(None,)))):
        loaded = _open(carrier(tmp_path / "a.pt", b"}" + plain("w") + tensor(data=data) + b"s", data=content))
        assert torch.equal(loaded["w"], expected)


def test_an_endless_pickle_is_refused(tmp_path):
    path = zip_file(tmp_path / "a.pt", b"N0" * 10)
    assert "unexpected pickle instruction POP" in str(_refused(path))


def test_a_partial_of_a_layer_that_compiles_code_is_refused(tmp_path):
    graph = name("timm.models._features_fx", "FeatureGraphNet")
    path = zip_file(tmp_path / "a.pt", call(name("functools", "partial"), graph))
    assert "carries code" in _refused(path).remedy


def test_compiled_networks_are_refused_with_what_to_do(tmp_path):
    torch.save(torch.fx.symbolic_trace(nn.Sequential(nn.ReLU())), tmp_path / "a.pt")
    error = _refused(tmp_path / "a.pt")
    assert "torch.fx.graph_module.reduce_graph_module" in error.what
    assert "carries code" in error.remedy


def test_weight_normalisation_names_how_to_take_it_off(tmp_path):
    torch.save(nn.utils.weight_norm(nn.Linear(2, 2)), tmp_path / "a.pt")
    assert "remove_weight_norm" in _refused(tmp_path / "a.pt").remedy
