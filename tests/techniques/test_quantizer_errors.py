"""What onnxruntime's quantizer cannot do is said as such."""

import logging
from pathlib import Path

import onnx
import pytest
from onnx import helper

from advisor.errors import NotApplicable
from advisor.techniques.static_int8.step import StaticInt8
from advisor.techniques.static_int8.write import Found, write

FOUND = Found(ranges=None, kept=(), symmetric=False)


@pytest.mark.parametrize("error", [ValueError("shared mode is not supported\nmore"), KeyError("axis"), RuntimeError()])
def test_an_error_of_the_quantizer_is_no_traceback(monkeypatch, tmp_path, error):
    def refuse(source: Path, target: Path, *_: object, **__: object) -> None:
        Path(target).write_bytes(b"half")
        raise error

    monkeypatch.setattr("onnxruntime.quantization.quantize_static", refuse)
    with pytest.raises(NotApplicable) as caught:
        write(StaticInt8(signedness="u8s8"), tmp_path / "in.onnx", tmp_path / "out.onnx", FOUND)
    assert caught.value.what.startswith("onnxruntime cannot quantize this graph")
    assert "\n" not in caught.value.what
    assert list(tmp_path.iterdir()) == [], "nothing half-written stays"


def test_warnings_of_the_quantizer_are_kept_from_the_terminal(monkeypatch, tmp_path, caplog):
    def warn(source: Path, target: Path, *_: object, **__: object) -> None:
        logging.warning("Axis 1 is out-of-range for weight 'norm1.weight' with rank 1")
        onnx.save(helper.make_model(helper.make_graph([], "empty", [], [])), target)

    monkeypatch.setattr("onnxruntime.quantization.quantize_static", warn)
    write(StaticInt8(signedness="u8s8"), tmp_path / "in.onnx", tmp_path / "out.onnx", FOUND)
    assert caplog.records == []
    logging.warning("afterwards they are heard again")
    assert len(caplog.records) == 1
