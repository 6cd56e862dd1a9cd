"""The format of torch before 1.6: a sequence of pickles, then the raw data of the tensors.

Torch's restricted unpickler refuses whole networks in it, because each class is stored together with its source. The
source is left out here, unread, and the class alone goes through the same checks as in newer files.
"""

import mmap
import pickletools
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from .pickle_code import Survey, follow
from .pickle_reading import global_code
from .pickle_values import Box, Global, Refused
from .refusals import plain_pickle_refusal

_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_MOST_NAMES = 50


@dataclass(frozen=True)
class LegacyFile:
    """A file of the old format: its pickles - magic number, version, system, object, keys - and what follows them."""

    pickles: tuple[Survey, ...]
    data_bytes: int

    @property
    def survey(self) -> Survey:
        """What following the object found."""
        return self.pickles[3]

    @property
    def rewritten(self) -> bool:
        """Whether torch can read the file only as `in_protocol_2` gives it."""
        return any(part.rewritten for part in self.pickles)

    def in_protocol_2(self, path: Path) -> BinaryIO:
        """Copy the file without the sources, in protocol 2."""
        copied = tempfile.TemporaryFile()  # noqa: SIM115  # the caller reads it
        for part in self.pickles:
            copied.write(part.code)
        with path.open("rb") as file:
            file.seek(self.pickles[-1].end)
            shutil.copyfileobj(file, copied)
        copied.seek(0)
        return copied


def open_legacy(path: Path) -> LegacyFile:
    """Follow the pickles of the file; raise Refused or ModelLoadError for anything that torch.save did not write."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if not _has_magic(data):
            raise plain_pickle_refusal(path, _names(data))
        pickles: list[Survey] = []
        for _ in range(5):
            end = pickles[-1].end if pickles else 0
            pickles.append(follow(data, end, class_without_source))
        if pickles[1].value != _VERSION:
            raise Refused("the version of the format is unknown")
        keys = pickles[4].value
        held = keys.items if isinstance(keys, Box) else []
        if any(stored.key not in held for stored in pickles[3].stored):
            raise Refused("the data of a tensor is missing")
        return LegacyFile(tuple(pickles), len(data) - pickles[4].end)


def class_without_source(key: Any) -> tuple[Any, bytes] | None:
    """Return the class alone where a persistent id holds a class with its source."""
    if isinstance(key, tuple) and len(key) == 4 and key[0] == "module" and isinstance(key[1], Global):
        return key[1], global_code(key[1])
    return None


def _has_magic(data: mmap.mmap) -> bool:
    try:
        return bool(follow(data).value == _MAGIC)
    except Refused:
        return False


def _names(data: mmap.mmap) -> list[str]:
    """List the names that a pickle asks for, as far as it can be followed; only to tell the user."""
    names: list[str] = []
    texts: list[str] = []
    try:
        for op, argument, _ in pickletools.genops(data[: 2**20]):
            if op.name in ("GLOBAL", "INST"):
                names.append(str(argument).replace(" ", "."))
            elif op.name == "STACK_GLOBAL" and len(texts) > 1:
                names.append(".".join(texts[-2:]))
            elif isinstance(argument, str):
                texts.append(argument[:100])
            if len(names) >= _MOST_NAMES:
                break
    except (ValueError, IndexError, KeyError):
        pass  # cut off or damaged: what was found so far is told
    return sorted(set(names))
