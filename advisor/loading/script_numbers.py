"""The operations of TorchScript on numbers, texts, lists and dictionaries; each is bounded in what it makes.

Whole numbers have 64 bits there; larger results are refused, as are long texts and lists.
"""

import math
import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

_LONGEST = 100_000  # items of a list or characters of a text; networks use hundreds
_LARGEST_INTEGER = 2**63
DTYPES = (
    torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16, torch.float32, torch.float64,
    torch.complex32, torch.complex64, torch.complex128, torch.bool, torch.qint8, torch.quint8, torch.qint32,
    torch.bfloat16,
)  # fmt: skip  # in the order of their numbers in TorchScript


def _add(left: Any, right: Any, alpha: Any = 1) -> Any:
    _short(left, right)
    return left + right * alpha if alpha != 1 else left + right


def _mul(left: Any, right: Any) -> Any:
    if isinstance(left, list | str) or isinstance(right, list | str):
        items, times = (left, right) if isinstance(left, list | str) else (right, left)
        if len(items) * times > _LONGEST:
            raise ValueError("a list is too long")
    return left * right


def _pow(base: Any, exponent: Any) -> Any:
    if isinstance(base, int) and isinstance(exponent, int):
        if abs(base) > 1 and abs(exponent) > 63:
            raise OverflowError("a whole number of more than 64 bits")
        return base**exponent if exponent >= 0 else float(base) ** exponent
    return math.pow(base, exponent)


def _short(*values: Any) -> None:
    if sum(len(v) for v in values if isinstance(v, list | str | dict | tuple)) > _LONGEST:
        raise ValueError("a list or text is too long")


def _append(items: list[Any], value: Any) -> list[Any]:
    _short(items)
    items.append(value)
    return items


def _extend(items: list[Any], values: Any) -> list[Any]:
    _short(items, values)
    items.extend(list(values))
    return items


def _insert(items: list[Any], place: int, value: Any) -> None:
    _short(items)
    items.insert(place, value)


def _set_item(container: Any, key: Any, value: Any) -> Any:
    _short(container)
    container[key] = value
    return container


def _update(container: dict[Any, Any], other: dict[Any, Any]) -> None:
    _short(container, other)
    container.update(other)


def _slice(items: Any, start: Any = None, end: Any = None, step: Any = 1) -> Any:
    return items[start:end:step]


def _format(template: Any, *values: Any) -> str:
    """Fill a message in; TorchScript knows only empty braces, and only short texts are worth it."""
    text = str(template)[:500]
    for value in values:
        plain = str(value)[:80] if isinstance(value, str | int | float) else type(value).__name__
        text = text.replace("{}", plain, 1)
    return text


def _derive_index(index: int, start: int, step: int) -> int:
    return start + index * step


def _range_length(low: int, high: int, step: int) -> int:
    return len(range(low, high, step))


def _same(left: Any, right: Any) -> bool:
    return left is right or (isinstance(left, bool) and isinstance(right, bool) and left == right)


NUMBERS: dict[str, Callable[..., Any]] = {
    "add": _add, "add_": _extend, "sub": lambda a, b, alpha=1: a - b * alpha,
    "rsub": lambda a, b, alpha=1: b - a * alpha,
    "mul": _mul, "div": lambda a, b, rounding_mode=None: _divide(a, b, rounding_mode), "pow": _pow,
    "floordiv": operator.floordiv, "floor_divide": operator.floordiv, "remainder": operator.mod, "fmod": math.fmod,
    "neg": operator.neg, "eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "le": operator.le,
    "gt": operator.gt, "ge": operator.ge, "__and__": operator.and_, "__or__": operator.or_, "__xor__": operator.xor,
    "__not__": operator.not_, "logical_not": operator.not_, "__is__": _same,
    "__isnot__": lambda a, b: not _same(a, b), "__contains__": lambda items, value: value in items,
    "len": len, "list": list, "dict": lambda items=(): dict(items), "format": _format,
    "append": _append, "extend": _extend, "insert": _insert, "_set_item": _set_item, "update": _update,
    "items": lambda d: [tuple(pair) for pair in d.items()], "keys": list, "values": lambda d: list(d.values()),
    "get": lambda d, key, other=None: d.get(key, other), "__getitem__": operator.getitem, "select": operator.getitem,
    "slice": _slice, "copy": lambda items: items.copy(), "clear": lambda items: items.clear(),
    "reverse": lambda items: items.reverse(), "__derive_index": _derive_index, "__range_length": _range_length,
    "max": max, "min": min, "abs": abs, "ceil": math.ceil, "floor": math.floor, "round": round, "trunc": math.trunc,
    "sqrt": math.sqrt, "log": math.log, "log2": math.log2, "exp": math.exp, "sin": math.sin, "cos": math.cos,
    "sum": sum, "any": any, "all": all, "warn": lambda *_, **__: None, "item": lambda value: value,
    "Int": int, "Float": float, "Bool": bool, "to": lambda value, *_, **__: value, "detach": lambda value: value,
    "clone": lambda value, *_: value, "split": lambda text, by=None, *_: text.split(by), "startswith": str.startswith,
    "endswith": str.endswith, "lower": str.lower, "upper": str.upper, "type_as": lambda value, *_: value,
}  # fmt: skip


def _divide(left: Any, right: Any, rounding_mode: str | None) -> Any:
    if rounding_mode == "floor":
        return left // right
    return math.trunc(left / right) if rounding_mode == "trunc" else left / right


def on_numbers(name: str, arguments: list[Any], options: dict[str, Any]) -> Any:
    """Do an operation without tensors; KeyError where there is none of that name."""
    result = NUMBERS[name](*arguments, **options)
    if isinstance(result, int) and abs(result) > _LARGEST_INTEGER:
        raise OverflowError("a whole number of more than 64 bits")
    return result


def about_tensor(name: str, tensor: Tensor, arguments: list[Any]) -> Any:
    """Return what TorchScript asks about a tensor without computing with it; KeyError for other operations."""
    return _QUESTIONS[name](tensor, *arguments)


_QUESTIONS: dict[str, Callable[..., Any]] = {
    "size": lambda t, dim=None: list(t.shape) if dim is None else t.shape[dim],
    "dim": lambda t: t.dim(), "numel": lambda t: t.numel(), "len": lambda t: t.shape[0],
    "is_floating_point": lambda t: t.is_floating_point(), "is_complex": lambda t: t.is_complex(),
    "prim.dtype": lambda t: DTYPES.index(t.dtype), "prim.device": lambda t: "cpu",
    "prim.requires_grad": lambda t: False,
    "prim.shape": lambda t: list(t.shape), "prim.layout": lambda t: 0, "prim.is_cuda": lambda t: False,
    "prim.is_quantized": lambda t: False, "prim.is_mkldnn": lambda t: False, "prim.is_sparse": lambda t: False,
    "prim.type": lambda device: device, "prim.ndim": lambda t: t.dim(), "prim.data": lambda t: t.detach(),
    "stride": lambda t, dim=None: list(t.stride()) if dim is None else t.stride(dim),
    "is_contiguous": lambda t, *_: t.is_contiguous(), "requires_grad_": lambda t, *_: t,
    "__is__": lambda t, other: t is other, "__isnot__": lambda t, other: t is not other,
}  # fmt: skip
