"""Exporting: files are checked before they are kept, and hostile ones are not believed."""

import shutil

import numpy as np
import onnx
import pytest

from advisor import runtimes
from advisor.errors import AdvisorError, NotApplicable, RunError
from advisor.runtimes import exporting
from advisor.runtimes.agreement import Agreement, compare_outputs
from advisor.runtimes.exporting import export
from advisor.runtimes.fallbacks import fallbacks
from advisor.runtimes.onnxruntime import OnnxRuntime
from advisor.runtimes.runtime import Placement
from advisor.runtimes.tflite import LiteRt

from .graphs import write_linear
from .networks import float_file, int8_file


class Wrong(OnnxRuntime):
    """A runtime that turns the signs of all outputs."""

    name, suffix = "wrong", ".wrong"

    def load(self, path, threads=1):
        session, plain = super().load(path, threads), super().load(path, threads).outputs
        session.outputs = lambda batch: tuple(-one for one in plain(batch))
        return session


@pytest.fixture
def wrong(monkeypatch):
    monkeypatch.setattr(exporting.runtimes, "get", lambda name: {"wrong": Wrong()}.get(name) or OnnxRuntime())


@pytest.fixture
def model(tmp_path):
    return write_linear(tmp_path / "model.onnx", 4, 3)


def test_a_file_is_made_beside_the_model_and_described(tmp_path, model):
    made = export(model, "onnxruntime", tmp_path / "other.onnx")
    assert [file.path for file in made.files] == [str(tmp_path / "other.onnx")]
    assert made.files[0].bytes == (tmp_path / "other.onnx").stat().st_size
    assert made.agreement.largest == 0
    assert (made.heavy_float, made.heavy_int8, made.input_shape) == (1, 0, (1, 4))
    assert made.operations == {"Gemm": 1} or sum(made.operations.values()) == 1


def test_floats_that_differ_are_not_kept(tmp_path, model, wrong):
    with pytest.raises(NotApplicable, match=r"computes something else: outputs differ by up to .*It was not kept"):
        export(model, "wrong")
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


@pytest.mark.real
def test_integers_that_differ_are_kept_with_a_warning(tmp_path, wrong):
    shutil.copy(int8_file("convolutional"), tmp_path / "q.onnx")
    made = export(tmp_path / "q.onnx", "wrong")
    assert made.quantized
    assert any("Measure the accuracy of this file" in note for note in made.notes)


@pytest.mark.real
def test_a_module_is_exported_into_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = export("timm:test_resnet", "pytorch", input_shape=(3, 32, 32))
    assert [file.path for file in made.files] == ["test_resnet.pt2"]
    assert made.input_shape == (1, 3, 32, 32)
    assert made.agreement.holds(1e-4)


@pytest.mark.parametrize(
    ("out", "reason"),
    [
        ("model.onnx", "over the model itself"),
        ("model.txt", r"end in \.onnx"),
        ("folder.onnx", "a folder has this name"),
    ],
)
def test_targets_that_do_harm_are_refused(tmp_path, model, out, reason):
    (tmp_path / "folder.onnx").mkdir()
    before = model.read_bytes()
    with pytest.raises(NotApplicable, match=reason):
        export(model, "onnxruntime", tmp_path / out)
    assert model.read_bytes() == before


def test_weights_from_outside_of_the_folder_are_not_read(tmp_path, model):
    (tmp_path / "secret").write_bytes(bytes(48))
    inner = tmp_path / "inner"
    inner.mkdir()
    hostile = onnx.load(model)
    tensor = hostile.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", "../secret"), ("length", "48")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    (inner / "hostile.onnx").write_bytes(hostile.SerializeToString())
    with pytest.raises(RunError, match=r"weights from outside of its folder: '\.\./secret'"):
        export(inner / "hostile.onnx", "onnxruntime", inner / "out.onnx")
    assert [path.name for path in inner.iterdir()] == ["hostile.onnx"]


@pytest.mark.parametrize("content", [b"", b"nonsense" * 20])
def test_what_is_no_onnx_file_is_refused(tmp_path, content):
    (tmp_path / "bad.onnx").write_bytes(content)
    with pytest.raises(AdvisorError):
        export(tmp_path / "bad.onnx", "onnxruntime", tmp_path / "out.onnx")
    assert not (tmp_path / "out.onnx").exists()


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(RunError, match="no such file"):
        export(tmp_path / "absent.onnx", "onnxruntime")


def test_a_pickle_that_runs_code_is_refused_and_does_not_run(tmp_path):
    import pickle

    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    (tmp_path / "evil.pt").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(AdvisorError):
        export(tmp_path / "evil.pt", "onnxruntime", tmp_path / "out.onnx")
    assert not (tmp_path / "ran").exists()


def test_litert_asks_for_its_environment_before_it_opens_anything(tmp_path, monkeypatch):
    monkeypatch.setattr(LiteRt, "available", lambda self: True)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    monkeypatch.delenv("ADVISOR_LITERT_PYTHON", raising=False)
    with pytest.raises(NotApplicable, match=r"litert-torch.* needs an environment of its own .*--install"):
        export(tmp_path / "absent.onnx", "tflite")


def test_differences_are_those_of_all_outputs():
    class Session:
        input_shape = (1, 2)

        def __init__(self, *shifts):
            self.shifts = shifts

        def outputs(self, batch):
            return tuple(batch + shift for shift in self.shifts)

    found = compare_outputs(Session(0, 0), Session(0, np.float32([0.5, 0])), inputs=3)
    assert found.largest == pytest.approx(0.5)
    assert found.mean == pytest.approx(0.125)
    assert found.same_first == found.inputs == 3
    assert not compare_outputs(Session(0), Session(0, 0)).holds(1)


@pytest.mark.parametrize(
    ("largest", "holds"), [(0.1, True), (0.3, False), (float("nan"), False), (float("inf"), False)]
)
def test_agreement_is_a_share_of_the_largest_output(largest, holds):
    assert Agreement(largest=largest, mean=0, scale=10, inputs=1, same_first=1).holds(0.02) is holds


@pytest.mark.parametrize(
    ("placement", "quantized", "words"),
    [
        (
            Placement(heavy_int8=3, heavy_float=1),
            True,
            ["1 of 4 convolutions and products of the int8 file run in float"],
        ),
        (Placement(heavy_int8=3, heavy_float=1), False, []),
        (
            Placement(heavy_float=2, elsewhere={"slice": 1, "norm": 5}),
            False,
            ["6 operations run outside", "norm, slice"],
        ),
        (
            Placement(heavy_float=2, arithmetic={"bf16": 2}),
            False,
            ["2 convolutions and products are computed in 16 bits"],
        ),
    ],
)
def test_fallbacks_are_said(placement, quantized, words):
    said = fallbacks(placement, OnnxRuntime(), quantized=quantized)
    assert bool(said) == bool(words)
    assert all(word in " ".join(said) for word in words)


@pytest.mark.real
@pytest.mark.parametrize("name", ["openvino", "ncnn", "executorch"])
def test_runtimes_that_are_installed_export_both_forms(tmp_path, name):
    try:
        runtime = runtimes.get(name)
    except NotApplicable as error:
        pytest.skip(error.what)
    for file in (float_file("convolutional"), int8_file("convolutional")):
        made = export(file, name, tmp_path / f"{file.stem}{runtime.suffix}")
        assert made.quantized is (made.heavy_int8 > 0)
        assert made.agreement.largest < 0.2 * made.agreement.scale
        assert all((tmp_path / one.path.rsplit("/", 1)[-1]).is_file() for one in made.files)
