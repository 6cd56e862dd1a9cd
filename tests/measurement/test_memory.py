from pathlib import Path
from statistics import median

import pytest

from advisor.errors import RunError
from advisor.measurement import memory
from advisor.measurement.memory import MemoryUse, peak_memory
from tests.runtimes.graphs import write_linear


def test_the_models_part_is_the_peak_less_the_runtime():
    found = MemoryUse(peaks_mb=(60.0, 62.0, 61.0), runtime_mb=45.0)
    assert (found.peak_mb, found.model_mb) == (61.0, 16.0)
    record = found.measurement("rt", "here", MemoryUse((70.0,), 45.0))
    assert (record.value, record.low, record.high, record.baseline_value) == (61.0, 60.0, 62.0, 70.0)


def test_a_larger_model_takes_more_memory_by_about_its_weights(tmp_path):
    small = peak_memory(write_linear(tmp_path / "small.onnx", 8, 8), "onnxruntime", processes=1)
    large = peak_memory(write_linear(tmp_path / "large.onnx", 2000, 2000), "onnxruntime", processes=1)  # 16 MB
    assert 14 < large.peak_mb - small.peak_mb < 80


@pytest.mark.parametrize(("readings", "taken"), [((60.0, 60.1), 2), ((60.0, 64.0, 60.2, 60.1, 60.3), 5)])
def test_processes_that_differ_are_followed_by_more(readings, taken, monkeypatch):
    left = iter(readings)
    monkeypatch.setattr(memory, "run_apart", lambda *_: {"peak_mb": next(left), "runtime_mb": 45.0})
    found = peak_memory(Path("model.onnx"), "onnxruntime")
    assert (len(found.peaks_mb), found.peak_mb) == (taken, median(readings))


def test_the_probe_says_why_it_failed(tmp_path):
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    with pytest.raises(RunError, match="memory probe failed"):
        peak_memory(tmp_path / "broken.onnx", "onnxruntime", processes=1)
