"""One file for every way to be hostile or broken, through the command line: nothing runs, one message, exit code 2."""

import gzip
import io
import pickle
import tarfile
import zipfile

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import save
from torch import nn

from tests.loading.attacks import CARRIERS, filled, gadgets, legacy_file, name, spellings, zip_file
from tests.loading.script_attacks import EXPORTS, SCRIPTS, exported, script

pytestmark = pytest.mark.real


def saved(path, value, **options):
    torch.save(value, path, **options)
    return path


def net():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())


def changed(value):
    """Return a network with one weight replaced."""
    module = net()
    module[0].weight = nn.Parameter(value, requires_grad=False)
    return module


def cut(path, share=0.5):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    return path


def bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}q\x00.")
        archive.writestr("archive/data/0", bytes(300_000_000))
    return path


def lying(path):
    content = save(net().state_dict())
    return write(path, content.replace(b'"shape":[4,3,3,3]', b'"shape":[9,9,9,9]'))


def write(path, content):
    path.write_bytes(content)
    return path


def graph(path, weight):
    nodes = [helper.make_node("Conv", ["x", "w"], ["y"])]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None] * 4)
    made = helper.make_model(
        helper.make_graph(nodes, "g", [x], [y], [weight]), opset_imports=[helper.make_opsetid("", 17)]
    )
    return write(path, made.SerializeToString())


def outside(path):
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2, 3, 1, 1], data_location=TensorProto.EXTERNAL)
    weight.external_data.add(key="location", value="../../../etc/passwd")
    return graph(path, weight)


def nan_graph(path):
    return graph(path, numpy_helper.from_array(np.full((2, 3, 1, 1), np.nan, np.float32), "w"))


def folder(path):
    path.mkdir()
    return path


def in_tar(path):
    with tarfile.open(path, "w") as archive:
        entry = tarfile.TarInfo("../escape.pt")
        archive.addfile(entry, io.BytesIO(b""))
    return path


BROKEN = {
    "empty file": lambda f: write(f / "a.pt", b""),
    "directory": lambda f: folder(f / "a.pt"),
    "text named .pt": lambda f: write(f / "a.pt", b"this is no model at all\n"),
    "noise": lambda f: write(f / "a.pt", bytes(range(255, 0, -1))),
    "truncated module": lambda f: cut(saved(f / "a.pt", net())),
    "truncated old module": lambda f: cut(saved(f / "a.pt", net(), _use_new_zipfile_serialization=False)),
    "truncated safetensors": lambda f: cut(write(f / "a.safetensors", save(net().state_dict()))),
    "truncated TorchScript": lambda f: cut(script(f / "a.pt")),
    "truncated .pt2": lambda f: cut(exported(f / "a.pt2")),
    "truncated ONNX": lambda f: cut(
        graph(f / "a.onnx", numpy_helper.from_array(np.ones((2, 3, 1, 1), np.float32), "w"))
    ),
    "zip bomb": lambda f: bomb(f / "a.pt"),
    "tar of something": lambda f: in_tar(f / "a.tar"),
    "compressed": lambda f: write(f / "a.pt.gz", gzip.compress(b"x")),
    "lying header": lambda f: lying(f / "a.safetensors"),
    "NaN weights": lambda f: saved(f / "a.pt", changed(torch.full((4, 3, 3, 3), float("nan")))),
    "infinite weights": lambda f: saved(f / "a.pt", changed(torch.full((4, 3, 3, 3), float("inf")))),
    "complex weights": lambda f: saved(f / "a.pt", changed(torch.ones(4, 3, 3, 3, dtype=torch.complex64))),
    "float64 weights": lambda f: saved(f / "a.pt", net().double()),
    "no weights": lambda f: saved(f / "a.pt", {"epoch": 3}),
    "ONNX data outside its folder": lambda f: outside(f / "a.onnx"),
    "ONNX with NaN": lambda f: nan_graph(f / "a.onnx"),
    "ONNX without operations": lambda f: write(
        f / "a.onnx", helper.make_model(helper.make_graph([], "g", [], [])).SerializeToString()
    ),
    "hook": lambda f: zip_file(
        f / "a.pt",
        filled(name("torch.nn.modules.linear", "Identity"), _forward_hooks=name("collections", "OrderedDict")),
    ),
}


def told(invoke, path):
    result = invoke("identify", path)
    assert result.exit_code == 2, result.output
    lines = result.stderr.splitlines()
    assert lines[0].startswith("error: ")
    assert len(lines) <= 3
    assert "Traceback" not in result.output
    assert "remedy: " in lines[-1]
    return result.stderr


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_told_in_one_message(invoke, tmp_path, case):
    path = BROKEN[case](tmp_path)
    assert str(path) in told(invoke, path)


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize(
    "gadget", ["os.system", "open", "subprocess", "torch.hub", "numpy.load", "pickle.loads", "getattr"]
)
def test_what_a_pickle_would_run_is_not_run(invoke, tmp_path, gadget, carrier):
    path = CARRIERS[carrier](tmp_path / "a.pt", gadgets(tmp_path)[gadget])
    told(invoke, path)
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("build", [zip_file, legacy_file])
@pytest.mark.parametrize("spelling", ["INST", "NEWOBJ", "STACK_GLOBAL", "BUILD", "hook", "the builder of a tensor"])
def test_however_it_is_spelt(invoke, tmp_path, spelling, build):
    path = build(tmp_path / "a.pt", spellings(tmp_path)[spelling], 4)
    told(invoke, path)
    assert not (tmp_path / "canary").exists()


def test_the_gadgets_do_run_where_nothing_stops_them(tmp_path):
    pickle.loads(b"\x80\x02" + gadgets(tmp_path)["os.system"] + b".")
    assert (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    "attack",
    [
        "creates a file",
        "evaluates",
        "loops for ever",
        "runs code in constants.pkl",
        "creates a file when its state is set",
    ],
)
def test_what_a_script_would_run_is_not_run(invoke, tmp_path, attack):
    told(invoke, SCRIPTS[attack](tmp_path / "a.pt", tmp_path / "canary"))
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    "attack", ["calls eval", "creates a file", "names a weight like code", "runs code in a weight"]
)
def test_what_an_exported_program_would_run_is_not_run(invoke, tmp_path, attack):
    told(invoke, EXPORTS[attack](tmp_path / "a.pt2", tmp_path / "canary"))
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(
    "build", [lambda f: script(f / "a.pt"), lambda f: exported(f / "a.pt2"), lambda f: saved(f / "a.pt", net())]
)
def test_files_that_are_left_alone_open(invoke, tmp_path, build):
    assert invoke("identify", build(tmp_path), "--input", "1x3x8x8").exit_code == 0
