"""Artefacts that crash their runtime end a process of their own, not ours."""

import pytest

from advisor import runtimes
from advisor.errors import AdvisorError
from advisor.measurement.bench import Entrant, bench
from advisor.runtimes import apart
from advisor.runtimes.apart import Crashed, check_survives, run_apart
from advisor.runtimes.exporting import export

from .graphs import write_linear


@pytest.fixture
def crashing(monkeypatch, tmp_path):
    """A program in the place of the process, which is ended by a signal."""
    program = tmp_path / "crash"
    program.write_text("#!/bin/sh\nkill -SEGV $$\n")
    program.chmod(0o755)
    monkeypatch.setattr(apart.sys, "executable", str(program))


def test_the_signal_is_named(tmp_path, crashing):
    with pytest.raises(Crashed, match=r"openvino crashes on the file \(SIGSEGV\)"):
        check_survives(tmp_path / "model.xml", "openvino")


def test_runtimes_that_refuse_what_they_cannot_run_are_not_tried(tmp_path, crashing):
    check_survives(tmp_path / "model.onnx", "onnxruntime")


def test_a_file_that_is_only_damaged_is_left_to_whoever_opens_it(tmp_path):
    (tmp_path / "model.xml").write_text("no model")
    check_survives(tmp_path / "model.xml", "openvino")


def test_a_reading_tells_runtime_and_peak(tmp_path):
    found = run_apart(write_linear(tmp_path / "model.onnx", 500, 500), "onnxruntime", 1)
    assert 10 < found["runtime_mb"] < found["peak_mb"]


@pytest.mark.skipif("openvino" not in runtimes.names(), reason="openvino is not there")
def test_nothing_is_exported_or_measured_that_crashes(tmp_path, crashing):
    source = write_linear(tmp_path / "model.onnx", 8, 8)
    with pytest.raises(AdvisorError, match="crashes"):
        export(source, "openvino", tmp_path / "made.xml")
    assert not (tmp_path / "made.xml").exists()
    with pytest.raises(AdvisorError, match="crashes"):
        bench([Entrant("a", source, runtimes.get("openvino"))])
