"""The format of torch before 0.1.10: a tar archive with the raw data of tensors beside a pickle that names them.

Torch reads it only without restrictions. It is written again in the current format, whose checks it then passes.
"""

import pickle
import pickletools
import struct
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from .pickle_code import Survey, follow
from .pickle_reading import global_code, item_bytes
from .pickle_values import TENSOR, Box, Global, Refused
from .tar import check_tar

_LARGEST_PART = 2**33  # bytes; networks of that time are below 2**30
_MOST_PARTS = 100_000
_MOST_AXES = 64


@dataclass(frozen=True)
class _Data:
    """Part of the data in the file: the key it is stored under and where it begins, in items."""

    key: str
    kind: Global
    offset: int
    count: int


def tar_as_archive(path: Path) -> tuple[bytes, BinaryIO]:
    """Return the byte code in protocol 2 and the same checkpoint in the current format."""
    check_tar(path)
    with tarfile.open(path, "r:") as tar:
        storages, tensors, code = (_part(tar, name) for name in ("storages", "tensors", "pickle"))
    data, raw = _storages(storages)
    known = _tensors(tensors, data)

    def replace(key: Any) -> tuple[Any, bytes] | None:
        if isinstance(key, tuple) and len(key) == 3 and isinstance(key[0], Global):  # a class and its source
            return key[0], global_code(key[0])
        if str(key) in known:
            return TENSOR, known[str(key)]
        raise Refused("the pickle names a tensor that is not in the file")

    written = follow(code, 0, replace).code
    archive = tempfile.TemporaryFile()  # noqa: SIM115  # the caller reads it
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr("archive/data.pkl", written)
        target.writestr("archive/byteorder", b"little")
        target.writestr("archive/version", b"3\n")
        for key, content in raw.items():
            target.writestr(f"archive/data/{key}", content)
    archive.seek(0)
    return written, archive


def _part(tar: tarfile.TarFile, name: str) -> bytes:
    member = tar.getmember(name)
    file = tar.extractfile(member) if member.isreg() and member.size <= _LARGEST_PART else None
    if file is None:
        raise Refused(f"{name} in the archive is no file, or too large")
    return file.read()


def _storages(code: bytes) -> tuple[dict[str, _Data], dict[str, memoryview]]:
    """Read the data of all tensors, and which further names are views of it."""
    found: dict[str, _Data] = {}
    raw: dict[str, memoryview] = {}
    survey = _counted(code)
    position = survey.end
    for _ in range(survey.value):
        survey = follow(code, position)
        key, _place, kind = _three(survey.value)
        (count,) = struct.unpack_from("<q", code, survey.end)
        begin = survey.end + 8
        position = begin + count * item_bytes(kind)
        if count < 0 or position > len(code):
            raise Refused("the data of a tensor is cut off")
        raw[str(key)] = memoryview(code)[begin:position]
        found[str(key)] = _Data(str(key), kind, 0, count)
    views = follow(code, position).value
    for target, root, offset, count in views.items if isinstance(views, Box) else []:
        whole = found[str(root)]
        if not all(type(n) is int and n >= 0 for n in (offset, count)) or offset + count > whole.count:
            raise Refused("a tensor looks at data beyond its end")
        found[str(target)] = _Data(whole.key, whole.kind, whole.offset + offset, count)
    return found, raw


def _tensors(code: bytes, data: dict[str, _Data]) -> dict[str, bytes]:
    """Return for each tensor the byte code that builds it."""
    found: dict[str, bytes] = {}
    survey = _counted(code)
    position = survey.end
    for _ in range(survey.value):
        survey = follow(code, position)
        key, storage, _kind = _three(survey.value)
        (axes,) = struct.unpack_from("<i", code, survey.end)
        if not 0 <= axes <= _MOST_AXES:
            raise Refused("a tensor has an impossible shape")
        figures = struct.unpack_from(f"<{2 * axes + 1}q", code, survey.end + 8)
        position = survey.end + 8 + 8 * len(figures)
        found[str(key)] = _tensor_code(data[str(storage)], figures[-1], figures[:axes], figures[axes:-1])
    return found


def _tensor_code(data: _Data, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> bytes:
    whole = data.offset + data.count
    storage = (
        b"(" + _plain("storage") + global_code(data.kind) + _plain(data.key) + _plain("cpu") + _plain(whole) + b"tQ"
    )
    layout = _plain(data.offset + offset) + _plain(size) + _plain(stride)
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + layout + b"\x89ccollections\nOrderedDict\n)RtR"


def _plain(value: Any) -> bytes:
    """Return the byte code of plain data, without its beginning and end, and without using the memo."""
    return pickletools.optimize(pickle.dumps(value, 2))[2:-1]


def _counted(code: bytes) -> Survey:
    survey = follow(code)
    if type(survey.value) is not int or not 0 <= survey.value <= _MOST_PARTS:
        raise Refused("the number of tensors is impossible")
    return survey


def _three(value: Any) -> tuple[Any, Any, Any]:
    if not isinstance(value, tuple) or len(value) != 3:
        raise Refused("the list of tensors is damaged")
    return value
