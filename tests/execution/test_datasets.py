"""Datasets of libraries and of the user's functions as --data, and how those that are not there are refused."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from advisor.errors import DataError
from advisor.execution.data import data_facts, open_data
from advisor.execution.images import ImageReader

from .test_data_forms import PLAIN, RNG, pictures


def as_function(root, code):
    name = f"own_data_{abs(hash(str(root)))}"
    (root / f"{name}.py").write_text("import numpy as np\nfrom PIL import Image\n" + code)
    return f"python:{name}:data"


FUNCTIONS = {
    "a dataset": "def data():\n    return [(Image.new('RGB', (6, 6), i), i % 2) for i in range(40)]",
    "train and test": "def data():\n    all_ = [(np.full((6, 6), i, np.uint8), i % 2) for i in range(40)]\n"
    "    return all_[:30], all_[30:]",
    "parts by name": "def data():\n    all_ = [(np.full((3, 6, 6), i, np.uint8), i % 2) for i in range(40)]\n"
    "    return {'train': all_[:30], 'test': all_[30:]}",
    "arrays": "def data():\n    return np.zeros((40, 6, 6, 3), np.uint8), np.arange(40) % 2",
    "prepared floats": "def data():\n    return [(np.full((3, 6, 6), i / 9, np.float32), i % 2) for i in range(40)]",
    "torch": "import torch\ndef data():\n"
    "    return torch.utils.data.TensorDataset(torch.zeros(40, 3, 6, 6), torch.arange(40) % 2)",
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_gives_datasets_in_the_usual_forms(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    split = open_data(as_function(tmp_path, FUNCTIONS[name]), 2)
    assert sum(map(len, split.parts.values())) == 40
    assert split.form == "python"
    assert ImageReader(PLAIN, 3).batch(split.train[:3]).shape == (3, 3, 6, 6)
    assert str(tmp_path) not in sys.path


BAD_FUNCTIONS = {
    "raises": ("def data():\n    raise KeyError('x')", "gives no data: KeyError"),
    "exits": ("raise SystemExit(3)", "gives no data: SystemExit"),
    "nothing": ("def data():\n    return None", "no data|NoneType"),
    "a number": ("def data():\n    return 3", "int, which has no length"),
    "empty": ("def data():\n    return []", "no images found"),
    "no function": ("datas = 1\ndef date():\n    pass", "no function 'data'"),
    "triples": ("def data():\n    return [(1, 2, 3)] * 9", "an element has 3 parts"),
    "labels in words": ("def data():\n    return [(Image.new('L', (6, 6)), 'cat')] * 9", "a label is str"),
    "no pictures": ("def data():\n    return [('a', i % 2) for i in range(9)]", "9 of 9 images cannot be read"),
    "too many": ("def data():\n    return [], [], [], []", "4 datasets are too many"),
}


@pytest.mark.parametrize("name", BAD_FUNCTIONS)
def test_functions_that_give_no_data_are_refused(tmp_path, monkeypatch, name):
    code, said = BAD_FUNCTIONS[name]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=said) as caught:
        open_data(as_function(tmp_path, code), 2)
    assert caught.value.remedy


def mnist(root, train=60, test=20):
    """Write what torchvision's MNIST reads, with a few images of noise."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, count in (("train", train), ("t10k", test)):
        images = RNG.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        for kind, array, magic in (("images-idx3", images, 0x803), ("labels-idx1", labels, 0x801)):
            shape = b"".join(int(n).to_bytes(4, "big") for n in array.shape)
            (raw / f"{name}-{kind}-ubyte").write_bytes(magic.to_bytes(4, "big") + shape + array.tobytes())


@pytest.mark.parametrize("name", ["torchvision:MNIST:root={}", "torchvision:mnist:root={}", "timm:torch/mnist:root={}"])
def test_datasets_of_libraries_keep_their_splits_and_are_counted_without_decoding(tmp_path, name, monkeypatch):
    mnist(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(Image, "fromarray", None)
        facts = data_facts(name.format(tmp_path))
    split = open_data(name.format(tmp_path), 10)
    assert (facts.images, facts.test, facts.classes) == (80, 20, 10)
    assert {item.name.split("/")[0] for item in split.train} == {"train"}
    assert len(split.train) + len(split.calibration) + len(split.selection) == 60
    assert ImageReader(PLAIN, 1).batch(split.test[:2]).shape == (2, 1, 6, 6)


def test_timm_reads_folders_of_parts_and_of_classes(tmp_path):
    for part in ("train", "validation"):
        for label in "ab":
            pictures(tmp_path / "parts" / part / label, 8)
            pictures(tmp_path / "plain" / label, 8)
    parts = open_data(f"timm:folder:root={tmp_path / 'parts'}", 2)
    plain = open_data(f"timm:folder:root={tmp_path / 'plain'}", 2)
    assert open_data(f"timm:torch/folder:root={tmp_path / 'plain'}", 2).form == "timm"
    assert (len(parts.test), parts.classes) == (16, ("a", "b"))
    assert sum(map(len, plain.parts.values())) == 16


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("torchvision:MNIST:root={}", "is not there"),
        ("torchvision:CIFAR10:root={}", "is not there"),
        ("torchvision:Food101:root={}", "is not there"),
        ("torchvision:CIFAR1O", "no dataset 'CIFAR1O'.*CIFAR10"),
        ("torchvision:MNIST:download=perhaps", "neither yes nor no"),
        ("timm:torch/cifar10:root={}", "is not there"),
        ("timm:torch/nothing:root={}", "cannot be opened"),
        ("timm:folder:root={}/no", "is no folder"),
        ("timm:folder", "no root is no folder"),
        ("timm:wds/x:root={}", "read as a stream"),
        ("timm:hfds/cifar10", "fetched from the Hugging Face hub"),
        ("python:nowhere_at_all:data", "ModuleNotFoundError"),
        ("python:nothing", "names no function"),
        ("{}/nowhere", "is not a folder"),
        ("{}/x.pdf", "no form of data"),
        ("{}/none.csv", "is not a file"),
        ("{}/none.npz", "is not a file"),
    ],
)
def test_what_is_not_there_is_said_with_a_way_out(tmp_path, name, said):
    (tmp_path / "x.pdf").write_bytes(b"%PDF")
    with pytest.raises(DataError, match=said) as caught:
        data_facts(name.format(tmp_path))
    assert caught.value.remedy
    assert not list(tmp_path.glob("*/*.gz"))


def test_a_prepared_image_of_another_size_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = as_function(tmp_path, FUNCTIONS["prepared floats"])
    reader = ImageReader(SimpleNamespace(size=(8, 8), mean=(0,) * 3, std=(1,) * 3, interpolation="bilinear"), 3)
    with pytest.raises(DataError, match=r"shape \(3, 6, 6\), the network reads \(3, 8, 8\)"):
        reader.batch(open_data(data, 2).train[:1])
