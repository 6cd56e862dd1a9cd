import pickle
import tarfile

import pytest
import torch
import torchvision
from torch import nn

from advisor.errors import ModelLoadError
from advisor.loading.files import Kind, recognise
from advisor.loading.pickles import read_pickle

from .attacks import CARRIERS, call, legacy_file, name, plain, storage, tar_file, tensor


def _save_old(path, value, **options):
    torch.save(value, path, _use_new_zipfile_serialization=False, **options)
    return path


def _open(path):
    return read_pickle(path, legacy=recognise(path) is Kind.LEGACY_TORCH, trust=False)


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_whole_network_of_the_old_format_computes_the_same(tmp_path, protocol):
    network = torchvision.models.mobilenet_v3_small(num_classes=4).eval()
    loaded = _open(_save_old(tmp_path / "a.pt", network, pickle_protocol=protocol))
    x = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(loaded(x), network(x))


def test_the_source_beside_a_class_is_neither_run_nor_kept(tmp_path):
    source = b"".join(map(plain, ("module",))) + name("torch.nn.modules.linear", "Identity")
    key = b"(" + source + plain("/x.py") + plain("raise SystemExit") + b"tQ"
    state = plain("training") + b"\x89" + plain("_non_persistent_buffers_set") + call(name("builtins", "set"), b"]")
    parts = b"".join(
        plain(k) + b"}" for k in ("_parameters", "_buffers", "_modules", "_forward_hooks", "_backward_hooks")
    )
    loaded = _open(legacy_file(tmp_path / "a.pt", key + b")\x81}(" + state + parts + b"ub"))
    assert isinstance(loaded, nn.Identity)


def test_views_of_the_old_format_stay_within_their_data(tmp_path):
    data = {"0": torch.arange(4.0).numpy().tobytes()}
    for view, fits in ((("v", 1, 2), True), (("v", 3, 2), False), (("v", -1, 2), False)):
        code = tensor(size=(2,), data=storage(view=(view,)))
        path = legacy_file(tmp_path / "a.pt", b"}" + plain("w") + code + b"s", data=data)
        if fits:
            assert _open(path)["w"].tolist() == [1.0, 2.0]
        else:
            with pytest.raises(ModelLoadError, match="beyond its end"):
                _open(path)


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9, 0.999])
def test_an_old_file_that_is_cut_off_is_refused(tmp_path, part):
    path = _save_old(tmp_path / "a.pt", nn.Linear(50, 50).state_dict())
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    with pytest.raises(ModelLoadError):
        _open(path)


def test_data_that_the_file_cannot_hold_is_not_reserved(tmp_path):
    code = tensor(count=2**40, size=(4,), data=storage(count=2**40, view=(None,)))
    with pytest.raises(ModelLoadError, match="shorter than the 4398046511104 bytes"):
        _open(legacy_file(tmp_path / "a.pt", code, data={"0": bytes(16)}))


STATE = (
    b"}" + plain("w") + plain("100") + b"Qs" + plain("same") + plain("100") + b"Qs" + plain("v") + plain("101") + b"Qs"
)
VALUES = {"100": [1.0, 2.0, 3.0], "101": [4.0]}


def test_the_tar_format_loads_as_torch_reads_it(tmp_path):
    path = tar_file(tmp_path / "a.pth.tar", STATE, tensors=VALUES)
    expected = torch.load(path, weights_only=False)
    loaded = _open(path)
    assert loaded.keys() == expected.keys()
    assert all(torch.equal(loaded[key], expected[key]) for key in expected)


@pytest.mark.parametrize(
    ("code", "tensors", "message"),
    [
        (plain("109") + b"Q", VALUES, "names a tensor that is not in the file"),
        (call(name("posix", "system"), plain("true")), VALUES, r"posix\.system"),
        (STATE, {"100": [], "101": []}, None),
    ],
)
def test_the_tar_format_goes_through_the_same_checks(tmp_path, code, tensors, message):
    path = tar_file(tmp_path / "a.tar", code, tensors=tensors)
    if message is None:
        assert _open(path)["w"].numel() == 0
        return
    with pytest.raises(ModelLoadError, match=message):
        _open(path)


@pytest.mark.parametrize(("offset", "count", "fits"), [(1, 2, True), (1, 3, False), (-1, 2, False), (0, 2**40, False)])
def test_views_of_the_tar_format_stay_within_their_data(tmp_path, offset, count, fits):
    path = tar_file(tmp_path / "a.tar", STATE, tensors=VALUES, views=(("v", "s0", offset, count),))
    if fits:
        assert _open(path)["w"].tolist() == [1.0, 2.0, 3.0]
    else:
        with pytest.raises(ModelLoadError, match="beyond its end"):
            _open(path)


def test_every_cut_of_a_tar_is_refused(tmp_path):
    path = tar_file(tmp_path / "a.tar", STATE, tensors=VALUES)
    whole = path.read_bytes()
    for length in range(300, 3500, 97):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelLoadError):
            _open(path)


def test_another_tar_says_what_to_do(tmp_path):
    (tmp_path / "net.pth").write_bytes(b"x")
    with tarfile.open(tmp_path / "a.pth.tar", "w") as archive:
        archive.add(tmp_path / "net.pth", "net.pth")
    with pytest.raises(ModelLoadError, match=r"without a model.*net\.pth.*Unpack it"):
        _open(tmp_path / "a.pth.tar")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"w": torch.ones(2)}, r"plain pickle.*torch\.storage\._load_from_bytes"),
        (nn.Linear(2, 2), r"plain pickle.*torch\.nn\.modules\.linear\.Linear"),
        ({"w": torch.ones(2).numpy()}, r"plain pickle of numpy"),
        ([1, 2], "plain pickle, not a checkpoint"),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_plain_pickle_is_named_as_such(tmp_path, value, message, protocol):
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(value, protocol))
    with pytest.raises(ModelLoadError, match=rf"(?s){message}.*torch\.save"):
        _open(path)


def test_trust_opens_every_carrier(tmp_path):
    for carrier in (CARRIERS["zip"], CARRIERS["legacy"], CARRIERS["tar"], CARRIERS["plain pickle"]):
        path = carrier(tmp_path / "a.pt", b"}" + plain("epoch") + plain(3) + b"s")
        assert read_pickle(path, legacy=recognise(path) is Kind.LEGACY_TORCH, trust=True) == {"epoch": 3}
