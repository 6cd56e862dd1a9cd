import hashlib

from advisor.measurement.size import artefact, file_mb, size_measurement


def test_size_is_that_of_the_file(tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"x" * 2_500_000)
    (tmp_path / "b.onnx").write_bytes(b"y" * 5_000_000)
    assert file_mb(tmp_path / "a.onnx") == 2.5
    record = size_measurement(tmp_path / "a.onnx", tmp_path / "b.onnx", "rt", "here")
    assert (record.value, record.baseline_value) == (2.5, 5.0)


def test_an_artefact_carries_its_digest(tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"abc")
    found = artefact(tmp_path / "a.onnx", tmp_path, "shipped", "int8")
    assert found.sha256 == hashlib.sha256(b"abc").hexdigest()
    assert (found.file, found.bytes, found.format) == ("a.onnx", 3, "onnx")
