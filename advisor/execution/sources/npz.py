"""NumPy archives: headers first, arrays when they are wanted; pickles are never opened and sizes are bounded."""

import math
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.lib import format as npy
from numpy.typing import NDArray

from advisor.errors import DataError

from ..items import Listing
from .arrays import Arrays, list_arrays

MOST_ARRAYS = 64
MEMORY_SHARE = 0.5  # of what is free now that one archive may take
_BAD = (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError)
_REMEDY = "Write it with numpy.savez(path, images=..., labels=...)."


def list_npz(path: Path) -> Listing:
    """List the images of an archive by the headers of its arrays and its labels."""
    if not path.is_file():
        raise DataError(f"{path} is not a file", remedy=_REMEDY)
    try:
        shapes = _shapes(path)
    except _BAD as error:
        raise DataError(f"the archive cannot be read: {_said(error)}", where=str(path), remedy=_REMEDY) from error
    size = sum(math.prod(shape) * kind.itemsize for shape, kind in shapes.values())
    room = MEMORY_SHARE * psutil.virtual_memory().available
    if size > room:
        raise DataError(
            f"the arrays take {size / 1e9:.1f} GB, {room / 1e9:.1f} GB may be used",
            where=str(path),
            remedy="Store the images as files and list them in a CSV.",
        )
    return list_arrays(Arrays(shapes, lambda key: _load(path, key), str(path), "npz"))


def _shapes(path: Path) -> dict[str, tuple[tuple[int, ...], "np.dtype[Any]"]]:
    """Read shape and type of every array; objects are refused because they are pickles."""
    found: dict[str, tuple[tuple[int, ...], np.dtype[Any]]] = {}
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if len(names) > MOST_ARRAYS:
            raise ValueError(f"it holds {len(names)} arrays, at most {MOST_ARRAYS} are read")
        for name in names:
            with archive.open(name) as member:
                version = npy.read_magic(member)
                header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
                shape, _, kind = header(member)
            if min(shape, default=0) < 0:
                raise ValueError(f"the array {name!r} has a negative size")
            if kind.hasobject:
                raise ValueError(f"the array {name!r} holds Python objects, which are never opened")
            found[name.removesuffix(".npy")] = (shape, kind)
    return found


def _load(path: Path, key: str) -> NDArray[Any]:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{key}.npy") as member:
            array: NDArray[Any] = npy.read_array(member, allow_pickle=False)
    except (*_BAD, MemoryError) as error:
        raise DataError(f"the array {key!r} cannot be read: {_said(error)}", where=str(path), remedy=_REMEDY) from error
    return array


def _said(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
