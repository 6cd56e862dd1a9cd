"""Runs that are measured in the runtime of their plan: both files are made for it, and it alone is measured."""

import shutil

import pytest

from advisor.errors import NotApplicable
from advisor.execution.in_runtime import check_accepts
from advisor.runtimes.onnxruntime import OnnxRuntime
from advisor.schema import ExecPath, Metric, Plan
from advisor.techniques.half.step import Half
from advisor.techniques.static_int8.step import StaticInt8

from .digits import SIZE
from .journeys import run

pytestmark = pytest.mark.real
INT8 = StaticInt8(signedness="u8s8")


class Twin(OnnxRuntime):
    """A runtime with two files an artefact: ONNX under another name, and notes."""

    name, suffix, arithmetic = "twin", ".twin", {"fp32": "f32", "int8": "u8s8"}
    noise = 0.0

    def convert(self, onnx, target):
        shutil.copyfile(onnx, target)
        target.with_suffix(".notes").write_text("made from " + onnx.name)
        return target

    def files(self, path):
        return path, path.with_suffix(".notes")

    def load(self, path, threads=1):
        session = super().load(path, threads)
        plain = session.outputs
        session.outputs = lambda batch: tuple(one + self.noise for one in plain(batch))
        return session


@pytest.fixture
def twin(monkeypatch, host):
    """This machine with that runtime."""
    from advisor import runtimes

    made, get, names = Twin(), runtimes.get, runtimes.names()
    monkeypatch.setattr(runtimes, "get", lambda name: made if name == "twin" else get(name))
    monkeypatch.setattr(runtimes, "names", lambda: (*names, "twin"))
    monkeypatch.setattr("advisor.execution.trials.peak_memory", lambda *_: memory())
    monkeypatch.setattr("advisor.execution.in_runtime.check_survives", lambda *_: None)
    paths = (*host.paths, ExecPath(runtime="twin", unit="cpu", precisions=("fp32", "int8")))
    return made, host.model_copy(update={"paths": paths})


def memory():
    from advisor.measurement.memory import MemoryUse

    return MemoryUse((80.0,), 70.0)


def test_both_files_are_made_and_measured_in_the_runtime_of_the_plan(twin):
    record, out = run(Plan(steps=(INT8,), runtime="twin"), device=twin[1])
    files = {one.role: one for one in record.artefacts}
    assert (files["baseline"].file, files["shipped"].file) == ("baseline.twin", "model.twin")
    assert (files["baseline-data"].file, files["shipped-data"].file) == ("baseline.notes", "model.notes")
    assert (files["baseline-onnx"].file, files["shipped-onnx"].file) == ("baseline.onnx", "model.onnx")
    assert files["shipped"].precision == files["shipped-onnx"].precision == "int8"
    assert record.environment["runtime"] == "twin"
    assert record.on_this_machine
    assert all(one.runtime.startswith("twin ") for one in record.measurements)
    size = next(one for one in record.measurements if one.metric is Metric.SIZE)
    both = (out / "model.twin").stat().st_size + (out / "model.notes").stat().st_size
    assert size.value == pytest.approx(both / 1e6)


def test_such_a_run_is_verified_in_the_same_runtime(twin):
    from advisor.verification import verify_run

    _, out = run(Plan(steps=(INT8,), runtime="twin"), device=twin[1])
    again = verify_run(out)
    assert all(one.runtime.startswith("twin ") for one in again.measurements)


def test_an_export_starts_from_the_onnx_file_of_such_a_run(twin):
    from advisor.runtimes.onnx_source import onnx_of_run

    _, out = run(Plan(steps=(INT8,), runtime="twin"), device=twin[1])
    assert onnx_of_run(out, "shipped") == out / "model.onnx"
    assert onnx_of_run(out, "baseline") == out / "baseline.onnx"


def test_a_runtime_that_computes_something_else_stops_the_run(twin, tmp_path):
    twin[0].noise = 5.0
    with pytest.raises(NotApplicable, match="for twin computes something else"):
        run(Plan(runtime="twin"), device=twin[1], out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_what_the_runtime_has_no_files_for_is_refused_before_anything_is_done(twin, tmp_path):
    with pytest.raises(NotApplicable, match=r"twin has no fp16 files here.*It takes fp32, int8"):
        run(Plan(steps=(Half(),), runtime="twin"), device=twin[1], out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    check_accepts(OnnxRuntime(), Plan(steps=(Half(),), runtime="onnxruntime"))


@pytest.mark.parametrize("name", ["openvino", "ncnn", "executorch"])
def test_runtimes_that_are_installed_carry_a_plan_out(name, host):
    from advisor import runtimes

    try:
        runtimes.get(name)
    except NotApplicable as error:
        pytest.skip(error.what)
    record, out = run(Plan(steps=(INT8,), runtime=name))
    assert record.environment["runtime"] == name
    assert int(record.environment["heavy_int8"]) > 0
    assert record.accuracy["original"] - record.accuracy["shipped"] < 5
    assert runtimes.get(name).load(out / record.artefacts[0].file).input_shape == (1, 1, SIZE, SIZE)
