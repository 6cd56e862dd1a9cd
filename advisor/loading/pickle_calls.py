"""Which calls a checkpoint may make while it is read, and with which arguments.

Besides what torch itself needs to rebuild tensors, these are constructors of plain data. Arguments are judged before
anything is built: torch's own functions would enlarge a storage that is too small for the tensor that a file asks for.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from typing import Any

import torch

from .pickle_values import NUMPY_TYPE, TENSOR, Box, Global, Made, Refused, Stored, is_constant

_LARGEST = 2**48  # elements; no memory holds more, and products of sizes below it stay exact
_MOST_AXES = 64  # as many as torch itself has
# Tensors that repeat their storage (an expanded mask) are honest but few; copying them out must not exhaust the memory.
_MOST_REPEATED = 2**26  # elements in one file
_MOST_META = 2**36  # elements without values; they cost nothing until somebody makes zeros of them

_LATIN = ("latin1", "latin-1")  # the only encodings that pickle writes bytes in
_WRAPPERS = ("torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer")


@dataclass
class Calls:
    """Judge the calls of one file; `others` are callees that are not in the table, with whether arguments are plain."""

    others: dict[str, bool] = field(default_factory=dict)
    repeated: int = 0

    def judge(self, callee: Any, arguments: Any) -> Any:
        """Return what the call gives, or raise Refused."""
        if not isinstance(callee, Global):
            raise Refused("the pickle calls something that it computed itself")
        if not isinstance(arguments, tuple):
            raise Refused(f"{callee.name} is called without a list of arguments")
        rule = _RULES.get(callee.name)
        if rule is None:
            plain = len(arguments) == 1 and is_constant(arguments[0])
            self.others[callee.name] = self.others.get(callee.name, True) and plain
            return Made(callee.name)
        try:
            return rule(self, *arguments)
        except (TypeError, AttributeError) as error:  # too few, too many or of another type
            raise Refused(f"{callee.name} is called with arguments that do not belong to it") from error


def _tensor(calls: Calls, storage: Stored, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> Made:
    if not isinstance(storage, Stored):
        raise Refused("a tensor is built on something that is not its data")
    return _fits(calls, storage.count, offset, size, stride)


def _fits(calls: Calls, count: int, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> Made:
    elements = _elements(size)
    _whole(stride)
    if len(size) != len(stride) or type(offset) is not int or not 0 <= offset <= _LARGEST:
        raise Refused("a tensor has impossible strides")
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True)) + 1
    if elements and last > count:
        raise Refused(f"a tensor of shape {_write(size)} reaches beyond its data of {count} values")
    calls.repeated += max(0, elements - count)
    if calls.repeated > _MOST_REPEATED:
        raise Refused(f"a tensor of shape {_write(size)} repeats data of {count} values")
    return TENSOR


def _tensor_v2(  # the arguments are torch's
    calls: Calls, storage: Any, offset: Any, size: Any, stride: Any, grad: bool, hooks: Any, metadata: Any = None
) -> Made:
    _no_extras(grad, hooks, metadata)
    return _tensor(calls, storage, offset, size, stride)


def _tensor_v3(  # noqa: PLR0913, PLR0917  # the arguments are torch's
    calls: Calls,
    storage: Stored,
    offset: Any,
    size: Any,
    stride: Any,
    grad: bool,
    hooks: Any,
    dtype: Global,
    metadata: Any = None,
) -> Made:
    _no_extras(grad, hooks, metadata)
    if not isinstance(storage, Stored):
        raise Refused("a tensor is built on something that is not its data")
    return _fits(calls, storage.count * storage.item_bytes // _dtype(dtype).itemsize, offset, size, stride)


def _quantized(  # the arguments are torch's
    calls: Calls, storage: Any, offset: Any, size: Any, stride: Any, how: Any, grad: bool, hooks: Any
) -> Made:
    _no_extras(grad, hooks, None)
    if not isinstance(how, tuple):
        raise Refused("a quantized tensor has no scale")
    if _elements(size) > storage.count:  # torch reserves memory for the whole shape first
        raise Refused(f"a quantized tensor of shape {_write(size)} repeats its data")
    return _tensor(calls, storage, offset, size, stride)


def _without_values(_: Calls, dtype: Global, size: Any, stride: Any, grad: bool) -> Made:
    _dtype(dtype)
    _whole(stride)
    _no_extras(grad, None, None)
    if _elements(size) > _MOST_META:
        raise Refused(f"a tensor of shape {_write(size)} without values is too large")
    return TENSOR


def _parameter(_: Calls, data: Any, grad: bool, hooks: Any) -> Made:
    if not isinstance(data, Made) or data != TENSOR:
        raise Refused("a parameter is made of something that is no tensor")
    _no_extras(grad, hooks, None)
    return TENSOR


def _parameter_with_state(calls: Calls, data: Any, grad: bool, hooks: Any, state: Any) -> Made:
    _plain_attributes(state)
    return _parameter(calls, data, grad, hooks)


def _from_type(calls: Calls, build: Global, kind: Global, arguments: tuple[Any, ...], state: Any) -> Made:
    if build.name not in _TENSORS or kind.name not in _WRAPPERS:
        raise Refused(f"a tensor is built by {build.name} as {kind.name}")
    _plain_attributes(state)
    calls.judge(build, arguments)
    return TENSOR


def _plain_attributes(state: Any) -> None:
    """Let tensors carry marks of their own; what torch itself keeps in a tensor is not theirs to set."""
    keys = state.items if isinstance(state, Box) and state.kind == "dict" else None if state is not None else []
    if keys is None or any(not isinstance(key, str) or hasattr(torch.Tensor, key) for key in keys):
        raise Refused("a tensor is given attributes that are not plain")


def _container(kind: str) -> Callable[..., Box]:
    def make(_: Calls, content: Any = ()) -> Box:
        items = content if isinstance(content, tuple) else content.items
        if kind == "dict":
            items = [] if not items else [_first(pair) for pair in items]
        return Box(kind, list(items))

    return make


def _first(pair: Any) -> Any:
    items = pair if isinstance(pair, tuple) else pair.items if isinstance(pair, Box) else (pair,)
    return items[0] if items else None


def _counter(_: Calls, content: Any = None) -> Box:
    return Box("dict", list(content.items) if content is not None else [])


def _size(_: Calls, sides: Any) -> Made:
    _elements(tuple(sides.items) if isinstance(sides, Box) else sides)
    return Made("torch.Size")


def _encode(_: Calls, text: str, encoding: str) -> bytes:
    if not isinstance(text, str) or encoding not in _LATIN:  # other codecs compress, or import modules by name
        raise Refused(f"bytes are written in the encoding {encoding!r}")
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as error:
        raise Refused("bytes are damaged") from error


def _bytearray(_: Calls, content: Any = b"", encoding: str = "latin-1") -> Made:
    if not isinstance(content, str | bytes) or encoding not in _LATIN:  # a number would ask for that many bytes
        raise Refused("a bytearray is made of something other than its bytes")
    return Made("builtins.bytearray")


def _constants(name: str, *kinds: type) -> Callable[..., Made]:
    def make(_: Calls, *arguments: Any) -> Made:
        if not all(isinstance(argument, kinds) for argument in arguments):
            raise Refused(f"{name} is called with arguments that do not belong to it")
        return Made(name)

    return make


def _partial(_: Calls, wrapped: Global) -> Made:
    if not isinstance(wrapped, Global):
        raise Refused("functools.partial wraps something that is no class")
    return Made("functools.partial")


def _numpy_type(_: Calls, code: str, align: bool = False, copy: bool = True) -> Made:
    if not (isinstance(code, str) and re.fullmatch(r"[fiub][1248]", code)):  # others hold objects
        raise Refused(f"a figure of numpy has the type {ascii(code)[:40]}")
    return NUMPY_TYPE


def _numpy_scalar(_: Calls, kind: Any, content: bytes) -> Made:
    if kind is not NUMPY_TYPE or not isinstance(content, bytes):
        raise Refused("a figure of numpy is damaged")
    return Made("numpy scalar")


def _no_extras(grad: Any, hooks: Any, metadata: Any) -> None:
    if not isinstance(grad, bool):
        raise Refused("a tensor is damaged: whether it needs gradients is not said")
    for extra in (hooks, metadata):
        if extra is not None and not (isinstance(extra, Box) and not extra.items):
            raise Refused("a tensor carries hooks or marks of its own")


def _elements(size: Any) -> int:
    """Return the product of the sides."""
    _whole(size)
    elements: int = prod(size)
    if elements > _LARGEST:
        raise Refused(f"a tensor of shape {_write(size)} is larger than any memory")
    return elements


def _whole(figures: Any) -> None:
    """Raise Refused for sides or strides that are no whole numbers from 0, or too many."""
    if not isinstance(figures, tuple) or len(figures) > _MOST_AXES:
        raise Refused("a tensor has an impossible shape")
    if any(type(figure) is not int or not 0 <= figure <= _LARGEST for figure in figures):
        raise Refused("a tensor has an impossible shape")


def _dtype(name: Global) -> torch.dtype:
    dtype = getattr(torch, name.attribute, None) if name.module == "torch" else None
    if not isinstance(dtype, torch.dtype):
        raise Refused(f"a tensor has the unknown type {name.name}")
    return dtype


def _write(size: tuple[int, ...]) -> str:
    return "x".join(map(str, size)) or "scalar"


_TENSORS: dict[str, Callable[..., Any]] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor_v2,
    "torch._utils._rebuild_tensor_v3": _tensor_v3,
    "torch._utils._rebuild_qtensor": _quantized,
    "torch._utils._rebuild_meta_tensor_no_storage": _without_values,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter_with_state,
}
_RULES: dict[str, Callable[..., Any]] = _TENSORS | {
    "torch._tensor._rebuild_from_type_v2": _from_type,
    "torch.Size": _size,
    "torch.device": _constants("torch.device", str, int),
    "torch.serialization._get_layout": _constants("torch.serialization._get_layout", str),
    "collections.OrderedDict": _container("dict"),
    "collections.Counter": _counter,
    "builtins.set": _container("set"),
    "builtins.complex": _constants("builtins.complex", int, float),
    "builtins.bytearray": _bytearray,
    "_codecs.encode": _encode,
    "numpy.dtype": _numpy_type,
    "numpy.core.multiarray.scalar": _numpy_scalar,
    "numpy._core.multiarray.scalar": _numpy_scalar,
    "functools.partial": _partial,  # replaced by a partial that wraps layers only
    "pathlib.PosixPath": _constants("pathlib.PosixPath", str),  # replaced by a pure path
    "pathlib._local.PosixPath": _constants("pathlib._local.PosixPath", str),
}
