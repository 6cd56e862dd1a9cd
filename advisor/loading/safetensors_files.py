"""Opening safetensors files: the header is held against the format and the file before the library reads it."""

import json
from math import prod
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from advisor.errors import ModelLoadError

_LONGEST_HEADER = 100_000_000  # bytes; the limit of the format's own library
_MOST_AXES = 64  # as many as torch has
_METADATA = "__metadata__"
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64, "C64": 64,
}  # fmt: skip


class _FaultyError(Exception):
    """What is wrong with a header."""


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of the file by name, or say precisely what is wrong with it."""
    try:
        _check_file(path)
        return dict(load_file(str(path)))
    except (_FaultyError, SafetensorError, OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        raise ModelLoadError(
            "the safetensors file is damaged",
            where=f"{path}: {error}",
            remedy="Copy or download it again.",
        ) from error


def _check_file(path: Path) -> None:
    length = path.stat().st_size
    with path.open("rb") as file:
        announced = int.from_bytes(file.read(8), "little")
        if length < 8 or announced > length - 8:
            raise _FaultyError(f"its header of {announced:,} bytes is longer than the file of {length:,}")
        if announced > _LONGEST_HEADER:
            raise _FaultyError(f"its header of {announced:,} bytes is longer than {_LONGEST_HEADER:,}")
        header = _parse(file.read(announced))
    spans = sorted(_span(name, entry) for name, entry in header.items() if name != _METADATA)
    _check_metadata(header.get(_METADATA, {}))
    _check_spans(spans, length - 8 - announced)


def _parse(text: bytes) -> dict[str, Any]:
    if text[:1] != b"{":
        raise _FaultyError("its header is no JSON object")
    try:
        header = json.loads(text.decode("utf-8"), object_pairs_hook=_without_repetition, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _FaultyError(f"its header is no JSON: {type(error).__name__}") from error
    if not isinstance(header, dict):
        raise _FaultyError("its header is no JSON object")
    return header


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise _FaultyError(f"{_show(next(n for n in found if names.count(n) > 1))} is there twice")
    return found


def _no_constant(text: str) -> Any:
    raise _FaultyError(f"its header holds {text}, which is no number")


def _check_metadata(metadata: Any) -> None:
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise _FaultyError("its metadata is no table of texts")


def _span(name: str, entry: Any) -> tuple[int, int, str]:
    """Return where the data of a tensor lies, checked against its shape and type."""
    shown = _show(name)
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise _FaultyError(f"the entry of {shown} is not dtype, shape and data_offsets")
    bits = _BITS.get(entry["dtype"]) if isinstance(entry["dtype"], str) else None
    if bits is None:
        raise _FaultyError(f"{shown} has the type {_show(entry['dtype'])}, which is not known")
    shape, offsets = _figures(entry["shape"]), _figures(entry["data_offsets"])
    if shape is None or len(shape) > _MOST_AXES:
        raise _FaultyError(f"{shown} has a shape that is no list of whole numbers from 0")
    if offsets is None or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise _FaultyError(f"{shown} has impossible data_offsets")
    if prod(shape) * bits // 8 != offsets[1] - offsets[0]:
        written = "x".join(map(str, shape)) or "scalar"
        raise _FaultyError(f"{shown} of shape {written[:80]} does not fill its {offsets[1] - offsets[0]:,} bytes")
    return offsets[0], offsets[1], name


def _figures(value: Any) -> list[int] | None:
    if not isinstance(value, list) or not all(type(figure) is int and 0 <= figure < 2**63 for figure in value):
        return None
    return value


def _check_spans(spans: list[tuple[int, int, str]], length: int) -> None:
    """Check that the data of the tensors follow each other without gap or overlap and fill the file."""
    end, before = 0, ""
    for start, stop, name in spans:
        if start < end:
            raise _FaultyError(f"{_show(name)} and {_show(before)} share bytes")
        if start > end:
            raise _FaultyError(f"there is a gap of {start - end:,} bytes before {_show(name)}")
        end, before = stop, name
    if end > length:
        raise _FaultyError(f"{_show(before)} reaches {end - length:,} bytes beyond the end; the file is cut off")
    if end < length:
        raise _FaultyError(f"{length - end:,} bytes at its end belong to no tensor")


def _show(name: Any) -> str:
    text = ascii(name)
    return text if len(text) <= 80 else text[:77] + "..."
