"""Reading the parts of a pickle's byte code: bytes within limits, names of globals, names of stored data."""

from mmap import mmap
from typing import Any

from torch._utils import IMPORT_MAPPING, NAME_MAPPING  # the very tables of torch's unpickler

from .pickle_values import Global, Refused, Stored

_MOST_BYTES = 2**28  # of byte code; the weights are stored apart from it
_LONGEST_LINE = 4096  # a name


class Reader:
    """What pickletools reads from; lengths that the byte code announces are held against a limit first."""

    def __init__(self, data: bytes | mmap, position: int) -> None:
        self.data, self.position, self._last = data, position, position + _MOST_BYTES

    def read(self, count: int) -> bytes:
        """Return up to `count` bytes."""
        if self.position + count > self._last:
            raise Refused(f"the pickle is longer than {_MOST_BYTES >> 20} MB")
        piece = self.data[self.position : self.position + count]
        self.position += len(piece)
        return piece

    def readline(self) -> bytes:
        """Return the bytes up to and with the end of the line."""
        end = self.data.find(b"\n", self.position, self.position + _LONGEST_LINE) + 1
        if not end:
            raise Refused("the pickle is damaged: a name does not end")
        return self.read(end - self.position)

    def tell(self) -> int:
        """Return the position in the data."""
        return self.position


_ITEM_BYTES = {
    "DoubleStorage": 8, "FloatStorage": 4, "HalfStorage": 2, "BFloat16Storage": 2, "ComplexFloatStorage": 8,
    "ComplexDoubleStorage": 16, "LongStorage": 8, "IntStorage": 4, "ShortStorage": 2, "CharStorage": 1,
    "ByteStorage": 1, "BoolStorage": 1, "QInt8Storage": 1, "QUInt8Storage": 1, "QInt32Storage": 4,
    "QUInt4x2Storage": 1, "QUInt2x4Storage": 1, "UntypedStorage": 1,
}  # fmt: skip


def read_storage(key: Any) -> Stored:
    """Read a persistent id as torch.save writes it: 'storage', its type, key, place and length."""
    if not isinstance(key, tuple) or len(key) not in (5, 6) or key[0] not in ("storage", b"storage"):
        raise Refused("the data of a tensor is named in an unknown way")
    _, kind, name, place, count, *view = key
    size = item_bytes(kind)
    if not isinstance(name, str | int) or not isinstance(place, str | bytes):
        raise Refused("the data of a tensor is of an unknown type")
    whole = count
    if type(count) is not int or not 0 <= count < 2**48:
        raise Refused("the data of a tensor has an impossible length")
    if view not in ([], [None]):  # files older than torch 1.6 may say which part of the data is meant
        _, offset, count = view[0]
        if type(offset) is not int or type(count) is not int or offset < 0 or count < 0 or offset + count > whole:
            raise Refused("a tensor looks at data beyond its end")
    return Stored(str(name), count, size, whole)


def item_bytes(kind: Any) -> int:
    """Return the size of an item of this type of storage."""
    size = _ITEM_BYTES.get(kind.attribute) if isinstance(kind, Global) else None
    if size is None:
        raise Refused("the data of a tensor is of an unknown type")
    return size


def read_global(module: Any, attribute: Any) -> Global:
    """Return the name as torch's unpickler will understand it: Python 2's names are translated."""
    if not isinstance(module, str) or not isinstance(attribute, str):
        raise Refused("the pickle computes a name")
    module, attribute = NAME_MAPPING.get((module, attribute), (IMPORT_MAPPING.get(module, module), attribute))
    if not all(part.isidentifier() for part in (*module.split("."), *attribute.split("."))):
        raise Refused(f"the pickle asks for {ascii(f'{module}.{attribute}')[:100]}, which is no name")
    return Global(module, attribute)


def global_code(found: Global) -> bytes:
    """Return the instruction that asks for a global."""
    return f"c{found.module}\n{found.attribute}\n".encode()
