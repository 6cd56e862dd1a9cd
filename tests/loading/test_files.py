import zipfile

import pytest

from advisor.errors import ModelLoadError
from advisor.loading import load


def _zip(path, names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")


def test_a_missing_file_names_its_nearest_neighbours(tmp_path):
    (tmp_path / "resnet20.pth").write_bytes(b"x")
    with pytest.raises(ModelLoadError, match=r"no such model file.*Did you mean resnet20.pth"):
        load(tmp_path / "resnet21.pth")


def test_a_missing_file_called_like_a_network_points_to_timm():
    with pytest.raises(ModelLoadError, match="write timm:resnet18"):
        load("resnet18")


def test_a_directory_lists_the_models_in_it(tmp_path):
    (tmp_path / "net.onnx").write_bytes(b"x")
    with pytest.raises(ModelLoadError, match=r"is a directory.*net\.onnx"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.pt", b"", "is empty"),
        ("notes.pth", b"this is no model at all", "a text file"),
        ("notes.onnx", b"this is no model at all", "damaged or not valid"),
        ("noise.pt", bytes(range(200, 240)), "not recognised"),
        ("model.h5", b"\x89HDF\r\n\x1a\n" + b"0" * 32, "HDF5"),
        ("model.tflite", b"\x1c\x00\x00\x00TFL3" + b"0" * 32, "TensorFlow Lite"),
        ("cut.pt", b"PK\x03\x04" + b"0" * 64, "damaged archive"),
        ("cut.safetensors", (16).to_bytes(8, "little") + b'{"a": 1' + b" " * 20, "safetensors file is damaged"),
        ("cut.pth", b"\x80\x02}q\x00", "plain pickle"),
        ("weights.npy", b"\x93NUMPY\x01\x00" + b"0" * 32, "array of numpy"),
        ("model.pt.gz", b"\x1f\x8b\x08" + b"0" * 32, r"compressed.*gunzip"),
        ("model.pt.bz2", b"BZh91AY" + b"0" * 32, r"compressed.*bunzip2"),
        ("model.joblib", b"x\x9c" + b"0" * 32, "joblib"),
        ("short.safetensors", (1000).to_bytes(8, "little") + b"{}", "safetensors file is damaged"),
    ],
)
def test_a_hostile_or_broken_file_is_refused_with_a_reason(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ModelLoadError, match=message) as caught:
        load(path)
    assert str(path) in caught.value.where


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["readme.txt"], "zip archive without a model"),
        (["conv.weight.npy", "conv.bias.npy"], r"arrays of numpy.*conv\.weight\.npy"),
        (["epoch7.pth"], r"model files in it.*epoch7\.pth.*Unpack it"),
        (["run/", "run/best.onnx"], r"model files in it.*best\.onnx"),
        (["m/data.pkl", "m/constants.pkl", "m/code/net.py"], "no pickle of TorchScript"),
        (["m/archive_format", "m/models/model.json"], "model.json is no JSON"),
    ],
)
def test_archives_are_told_apart_by_what_is_inside(tmp_path, names, message):
    path = tmp_path / "archive.pt"
    _zip(path, names)
    with pytest.raises(ModelLoadError, match=message):
        load(path)


def test_a_checkpoint_cut_in_half_is_refused(tmp_path):
    import torch

    whole = tmp_path / "whole.pt"
    torch.save({"weight": torch.ones(4000)}, whole)
    path = tmp_path / "half.pt"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(ModelLoadError, match="damaged archive"):
        load(path, arch="resnet18")
