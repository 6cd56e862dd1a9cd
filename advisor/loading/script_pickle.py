"""Reading the pickles of a TorchScript archive into inert values: no class of Python is looked up, nothing is called.

Tensors are read from the archive's own entries, and the few functions of torch that are named are stood in for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from advisor.errors import ModelLoadError

from .archive_entries import Entries, damaged, strided
from .script_machine import Call, ScriptClass, run_pickle

_STORAGES = {
    "torch.FloatStorage": torch.float32, "torch.DoubleStorage": torch.float64, "torch.HalfStorage": torch.float16,
    "torch.BFloat16Storage": torch.bfloat16, "torch.LongStorage": torch.int64, "torch.IntStorage": torch.int32,
    "torch.ShortStorage": torch.int16, "torch.CharStorage": torch.int8, "torch.ByteStorage": torch.uint8,
    "torch.BoolStorage": torch.bool, "torch.ComplexFloatStorage": torch.complex64, "torch.QInt8Storage": torch.int8,
    "torch.QUInt8Storage": torch.uint8, "torch.QInt32Storage": torch.int32,
}  # fmt: skip
_SCHEMES = ("torch.per_tensor_affine", "torch.per_channel_affine")
_TAGGED = frozenset(
    f"torch.jit._pickle.{name}"
    for name in ("build_intlist", "build_doublelist", "build_boollist", "build_tensorlist", "restore_type_tag")
)


@dataclass(frozen=True, eq=False)
class StoredQuantized:
    """A quantized tensor as it was stored: integers, and one scale and zero point or one per slice along `axis`."""

    values: Tensor
    scale: Any
    zero_point: Any
    axis: int | None


class ScriptPickle:
    """Reads the pickles of one archive; equal tensors of the file are one tensor here."""

    def __init__(self, entries: Entries) -> None:
        """Take the archive."""
        self._entries = entries
        self._tensors: dict[Any, Tensor] = {}

    def read(self, name: str, folder: str) -> Any:
        """Return the value of a pickle; its tensors lie under `folder`/."""
        code = self._entries.read(name)
        try:
            return run_pickle(code, self._find, lambda identity: _storage(identity, folder))
        except ModelLoadError:
            raise
        except Exception as error:  # hostile bytes can raise anything
            raise damaged(self._entries.path, f"{name} is no pickle of TorchScript: {error}"[:200]) from error

    def _find(self, name: str) -> Any:
        if name.startswith("__torch__."):
            return ScriptClass(name)
        if name in _STORAGES:
            return _STORAGES[name]
        if name in _SCHEMES:
            return name
        if name in _TAGGED:
            return Call(lambda value, *_: value)
        found: dict[str, Callable[..., Any]] = {
            "torch.device": lambda *_: "cpu",
            "torch._utils._rebuild_tensor_v2": self._tensor,
            "torch._utils._rebuild_qtensor": self._quantized,
            "collections.OrderedDict": lambda: {},
        }
        if name not in found:
            raise ModelLoadError(
                f"the script asks for {name[:120]}, which TorchScript never writes",
                where=str(self._entries.path),
                remedy="The file is forged: do not use it.",
            )
        return Call(found[name])

    def _tensor(self, storage: Any, offset: Any, sizes: Any, strides: Any, *rest: Any) -> Tensor:
        dtype, entry = storage
        identity = (dtype, entry, offset, sizes, strides)
        if identity not in self._tensors:
            content = self._entries.read(entry, limit=2**40)
            made = strided(content, dtype, sizes, strides, offset, f"{self._entries.path}: {entry[:80]}")
            trainable = bool(rest and rest[0] is True and made.is_floating_point())
            self._tensors[identity] = nn.Parameter(made) if trainable else made
        return self._tensors[identity]

    def _quantized(self, storage: Any, offset: Any, sizes: Any, strides: Any, how: Any, *_: Any) -> StoredQuantized:
        values = self._tensor(storage, offset, sizes, strides)
        if how[0] == _SCHEMES[0]:
            return StoredQuantized(values, float(how[1]), int(how[2]), None)
        scale, zero_point, axis = how[1:4]
        if not all(isinstance(t, Tensor) and t.dim() == 1 for t in (scale, zero_point)):
            raise ValueError("scales per channel must be vectors")
        return StoredQuantized(values, scale.double(), zero_point.long(), int(axis))


def _storage(identity: Any, folder: str) -> tuple[torch.dtype, str]:
    kind, dtype, key, *_ = identity
    if kind != "storage" or not isinstance(dtype, torch.dtype) or not isinstance(key, str):
        raise ValueError("unexpected persistent id")
    return dtype, f"{folder}/{key}"
