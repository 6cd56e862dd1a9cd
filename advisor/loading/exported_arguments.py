"""Arguments, targets and values in the JSON of a torch.export archive, checked one by one."""

import math
import operator as python
import re
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import fx

from advisor.errors import ModelLoadError

from .exported_weights import DTYPES
from .operators import operator, refusal

_TORCH_OPERATOR = re.compile(r"torch\.ops\.([a-z_]{1,40})\.([a-zA-Z0-9_]{1,80})\.([a-zA-Z0-9_]{1,80})", re.ASCII)
_TEXT = re.compile(r"[A-Za-z0-9_., >-]{0,100}", re.ASCII)  # reduction, rounding and padding modes, einsum equations
# Arithmetic on sizes that stay open.
_ARITHMETIC = "add sub mul floordiv truediv mod neg pos eq ne lt le gt ge and_ or_ getitem"
_ON_SIZES: dict[str, Callable[..., Any]] = {
    f"_operator.{name}": getattr(python, name)
    for name in _ARITHMETIC.split()
} | {
    "math.trunc": math.trunc, "math.ceil": math.ceil, "math.floor": math.floor, "torch.sym_not": torch.sym_not,
    "torch.sym_int": torch.sym_int, "torch.sym_float": torch.sym_float, "torch.sym_max": torch.sym_max,
    "torch.sym_min": torch.sym_min, "torch.sym_ite": torch.sym_ite,
}  # fmt: skip
_MEMORY = {1: torch.contiguous_format, 2: torch.channels_last, 3: torch.channels_last_3d, 4: torch.preserve_format}
# Checks of values and sizes, without a result that anything reads.
_CHECKS = "_assert_scalar _assert_async sym_constrain_range sym_constrain_range_for_size _assert_tensor_metadata"
DROPPED = frozenset(f"torch.ops.aten.{name}.default" for name in _CHECKS.split())
INLINED = frozenset(f"torch.ops.higher_order.wrap_with_{name}" for name in ("set_grad_enabled", "autocast"))


def target(name: Any) -> Callable[..., Any]:
    """Return what a node calls: an operator on our list or arithmetic on sizes."""
    if name in _ON_SIZES:
        return _ON_SIZES[name]
    found = _TORCH_OPERATOR.fullmatch(name) if isinstance(name, str) else None
    if found is None:
        raise refusal(str(name))
    called: Callable[..., Any] = operator(*found.groups())
    return called


def argument(union: Any, values: Mapping[str, fx.Node]) -> Any:
    """Return an argument of a node; names refer to results of nodes before it."""
    if not isinstance(union, dict) or len(union) != 1:
        raise ValueError("an argument of no kind")
    ((kind, value),) = union.items()
    if kind not in _KINDS:
        raise ModelLoadError(
            f"the exported graph holds an argument of the kind {str(kind)[:40]}, which is not read",
            remedy="Networks of plain tensor operations are opened; give this one as ONNX.",
        )
    return _KINDS[kind](value, values)


def names_in(union: dict[str, Any]) -> list[str | None]:
    """Return the names under which the parts of a node's output are known; None for parts that are not there."""
    ((kind, value),) = union.items()
    if kind in ("as_tensor", "as_optional_tensor"):
        return [_name(value.get("as_tensor", value))]
    if kind in ("as_sym_int", "as_sym_float", "as_sym_bool"):
        return [value.get("as_name")]
    if kind == "as_tensors":
        return [_name(item) for item in value]
    return [None]


def _name(value: dict[str, Any]) -> str | None:
    name = value.get("name")
    return name if isinstance(name, str) else None


def _tensor(value: Any, values: Mapping[str, fx.Node]) -> Any:
    return values[value["name"]]


def _optional(value: Any, values: Mapping[str, fx.Node]) -> Any:
    return _tensor(value["as_tensor"], values) if "as_tensor" in value else None


def _open(value: Any, values: Mapping[str, fx.Node]) -> Any:
    """Return a size, factor or condition that is a number or the result of a node."""
    if "as_name" in value:
        return values[value["as_name"]]
    ((_, number),) = value.items()
    return _number(number, values)


def _number(value: Any, _: Any) -> bool | int | float:
    if value in ("Infinity", "-Infinity", "NaN"):
        return float(value.replace("Infinity", "inf"))
    if type(value) not in (bool, int, float):
        raise ValueError("a number that is none")
    return value  # type: ignore[no-any-return]


def _text(value: Any, _: Any) -> str:
    if not isinstance(value, str) or not _TEXT.fullmatch(value):
        raise ValueError("a text that no operator takes")
    return value


def _each(read: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda items, values: [read(item, values) for item in items]


_KINDS: dict[str, Callable[[Any, Any], Any]] = {
    "as_none": lambda *_: None, "as_tensor": _tensor, "as_tensors": _each(_tensor), "as_optional_tensor": _optional,
    "as_optional_tensors": _each(_optional), "as_int": _number, "as_ints": _each(_number), "as_float": _number,
    "as_floats": _each(_number), "as_bool": _number, "as_bools": _each(_number), "as_string": _text,
    "as_sym_int": _open, "as_sym_ints": _each(_open), "as_sym_float": _open, "as_sym_floats": _each(_open),
    "as_sym_bool": _open, "as_sym_bools": _each(_open), "as_scalar_type": lambda value, _: DTYPES[value],
    "as_memory_format": lambda value, _: _MEMORY[value], "as_layout": lambda *_: torch.strided,
    "as_device": lambda *_: torch.device("cpu"),
}  # fmt: skip
