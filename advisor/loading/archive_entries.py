"""Reading what a zip archive of torch holds by name: checked before, bounded in size, never extracted to disk."""

import math
import zipfile
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor

from advisor.errors import ModelLoadError

from .archives import check_archive
from .opened import LARGEST_TENSOR, shown

_LARGEST_TEXT = 256 * 2**20  # bytes of JSON, code or pickle; the largest networks of timm write about 10 MB
_MOST_SHARING = 64  # elements of an expanded weight per stored one; masks and position tables stay far below


class Entries:
    """The entries of one archive by their name without the leading folder."""

    def __init__(self, path: Path) -> None:
        """Open the archive and read its directory."""
        check_archive(path)
        self.path = path
        self._zip = zipfile.ZipFile(path)
        self._infos = {info.filename.partition("/")[2] or info.filename: info for info in self._zip.infolist()}
        if "byteorder" in self and self.read("byteorder").strip() == b"big":
            raise damaged(path, "its numbers are in the order of big-endian machines")

    @property
    def names(self) -> list[str]:
        """Names in the order of the archive."""
        return list(self._infos)

    def __contains__(self, name: str) -> bool:
        return name in self._infos

    def read(self, name: str, limit: int = _LARGEST_TEXT) -> bytes:
        """Return the bytes of an entry of at most `limit` bytes."""
        info = self._infos.get(name)
        if info is None:
            raise damaged(self.path, f"it lacks {name[:120]}")
        if info.file_size > limit:
            raise damaged(self.path, f"{name[:120]} unpacks to {info.file_size} bytes")
        try:
            return self._zip.read(info)
        except Exception as error:  # zlib, zipfile and the file system raise their own kinds
            raise damaged(self.path, f"{name[:120]} cannot be read") from error

    def close(self) -> None:
        """Close the file."""
        self._zip.close()


def strided(
    content: bytes, dtype: torch.dtype, sizes: Iterable[int], strides: Iterable[int], offset: int, where: str
) -> Tensor:
    """Return the tensor of this layout in raw bytes, with a storage of its own; the layout must lie inside."""
    shape, steps = tuple(sizes), tuple(strides)
    figures = (*shape, *steps, offset)
    if len(shape) != len(steps) or len(shape) > 16 or any(type(f) is not int or f < 0 for f in figures):
        raise ModelLoadError("the archive describes a weight that cannot be", where=where)
    item = dtype.itemsize
    elements = math.prod(shape)
    last = offset + sum((side - 1) * step for side, step in zip(shape, steps, strict=True)) if elements else -1
    unfolded = elements * item > _MOST_SHARING * len(content) + 2**20
    if elements > LARGEST_TENSOR or unfolded or (last + 1) * item > len(content):
        raise ModelLoadError(
            "the archive promises more of a weight than it holds",
            where=f"{where}: {'x'.join(map(str, shape))} of {str(dtype).removeprefix('torch.')}, {len(content)} bytes",
            remedy="The file is damaged or forged; save the network again.",
        )
    if not elements:
        return torch.empty(shape, dtype=dtype)
    flat = torch.frombuffer(bytearray(content[: len(content) // item * item]), dtype=dtype)
    return torch.as_strided(flat, shape, steps, offset).clone()


def damaged(path: Path, why: str) -> ModelLoadError:
    """Return the error for an archive that torch would not have written."""
    return ModelLoadError(
        "the archive is damaged or was not written by torch",
        where=f"{path}: {shown(why)}",
        remedy="Save the network again.",
    )
