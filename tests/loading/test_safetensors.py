import json

import pytest
import torch
from safetensors.torch import save_file

from advisor.errors import ModelLoadError
from advisor.loading.safetensors_files import read_safetensors


def _write(path, header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)
    return path


def _entry(dtype="F32", shape=(2,), span=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(span)}


ONE = {"w": _entry()}
TWICE = b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
BAD = {
    "a header beyond the file": (ONE, b"", 10**6, "header of 1,000,000 bytes is longer than the file"),
    "a header beyond any file": (ONE, b"", 2**64 - 1, "is longer than the file"),
    "no header": (b"", b"", 0, "no JSON object"),
    "a list": (b"[]", b"", None, "no JSON object"),
    "broken JSON": (b'{"a": ', b"", None, "no JSON: JSONDecodeError"),
    "not UTF-8": (b'{"\xff": 1}', b"", None, "no JSON: UnicodeDecodeError"),
    "deep JSON": (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b"", None, "no JSON: RecursionError"),
    "a number of a million digits": (b'{"a":' + b"9" * 10**6 + b"}", b"", None, "no JSON: ValueError"),
    "NaN": (b'{"a": NaN}', b"", None, "NaN, which is no number"),
    "a name twice": (TWICE, bytes(8), None, "'w' is there twice"),
    "an entry that is none": ({"w": 1}, bytes(8), None, "is not dtype, shape and data_offsets"),
    "a field too many": ({"w": _entry() | {"code": "x"}}, bytes(8), None, "is not dtype, shape and data_offsets"),
    "an unknown type": ({"w": _entry(dtype="F31")}, bytes(8), None, "'w' has the type 'F31'"),
    "a type that is a list": ({"w": _entry(dtype=["F32"])}, bytes(8), None, "has the type"),
    "a negative side": ({"w": _entry(shape=(-2,))}, bytes(8), None, "no list of whole numbers"),
    "a side that is no whole number": ({"w": _entry(shape=(2.0,))}, bytes(8), None, "no list of whole numbers"),
    "a side that is a truth value": ({"w": _entry(shape=(True, 2))}, bytes(8), None, "no list of whole numbers"),
    "too many sides": ({"w": _entry(shape=(1,) * 65)}, bytes(8), None, "no list of whole numbers"),
    "a shape that is too large": ({"w": _entry(shape=(2**40,))}, bytes(8), None, "does not fill its 8 bytes"),
    "sides whose product overflows": ({"w": _entry(shape=(2**62, 4, 2))}, bytes(8), None, "does not fill"),
    "a span that runs backwards": ({"w": _entry(span=(8, 0))}, bytes(8), None, "impossible data_offsets"),
    "a span of three": ({"w": _entry(span=(0, 4, 8))}, bytes(8), None, "impossible data_offsets"),
    "a span beyond the end": (ONE, bytes(4), None, "reaches 4 bytes beyond the end; the file is cut off"),
    "overlapping spans": ({"a": _entry(), "b": _entry(span=(4, 12))}, bytes(12), None, "'b' and 'a' share bytes"),
    "the same span": ({"a": _entry(), "b": _entry()}, bytes(8), None, "share bytes"),
    "a gap": ({"a": _entry(), "b": _entry(span=(12, 20))}, bytes(20), None, "a gap of 4 bytes before 'b'"),
    "a gap at the start": ({"a": _entry(span=(4, 12))}, bytes(12), None, "a gap of 4 bytes before 'a'"),
    "bytes at the end": (ONE, bytes(9), None, "1 bytes at its end belong to no tensor"),
    "metadata that is no text": ({"__metadata__": {"a": 1}, **ONE}, bytes(8), None, "no table of texts"),
}


@pytest.mark.parametrize(("header", "data", "length", "message"), BAD.values(), ids=BAD.keys())
def test_a_damaged_file_is_refused_with_its_fault(tmp_path, header, data, length, message):
    path = _write(tmp_path / "a.safetensors", header, data, length)
    with pytest.raises(ModelLoadError, match="safetensors file is damaged") as caught:
        read_safetensors(path)
    assert message in caught.value.where
    assert str(path) in caught.value.where


def test_a_header_above_the_limit_is_not_read(tmp_path):
    path = tmp_path / "a.safetensors"
    with path.open("wb") as file:
        file.write((100_000_001).to_bytes(8, "little") + b"{")
        file.truncate(100_000_100)
    with pytest.raises(ModelLoadError, match="longer than 100,000,000"):
        read_safetensors(path)


def test_a_file_of_seven_bytes_is_refused(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(bytes(7))
    with pytest.raises(ModelLoadError, match="longer than the file of 7"):
        read_safetensors(path)


TYPES = [
    torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int8, torch.uint8, torch.int16, torch.int32,
    torch.int64, torch.bool, torch.float8_e4m3fn, torch.float8_e5m2, torch.uint16, torch.uint32, torch.complex64,
]  # fmt: skip


def test_every_type_and_odd_shapes_load(tmp_path):
    tensors = {str(dtype): torch.zeros(2, 3).to(dtype) for dtype in TYPES}
    tensors |= {"scalar": torch.tensor(1.5), "empty": torch.ones(0, 3)}
    save_file(tensors, tmp_path / "a.safetensors", metadata={"format": "pt"})
    loaded = read_safetensors(tmp_path / "a.safetensors")
    assert loaded.keys() == tensors.keys()
    assert all(
        loaded[key].dtype is tensor.dtype and loaded[key].shape == tensor.shape for key, tensor in tensors.items()
    )
    assert loaded["scalar"] == 1.5
