"""What `torch.X(...)` and `ops.N.X(...)` mean in a script: numbers here, tensors by torch's operators on our list."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from advisor.errors import ModelLoadError

from .operators import operator, refusal
from .script_numbers import DTYPES, NUMBERS, about_tensor, on_numbers
from .script_quantized import on_quantized
from .script_values import Quantized, numbers_in

if TYPE_CHECKING:
    from .script_run import Interpreter

_MOST_CALLS = 50_000  # operator calls per forward pass; swin_tiny makes about 2,000
_ON_LISTS = """
append extend insert len list add add_ slice select __getitem__ copy clear reverse _set_item items keys values get dict
update __contains__ __is__ __isnot__ eq ne
"""
_CONTAINERS = frozenset(_ON_LISTS.split())


def call_operator(run: "Interpreter", namespace: str, name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    """Do one call of a script."""
    run.calls += 1
    if run.calls > _MOST_CALLS:
        raise ModelLoadError(
            "the script does not come to an end",
            where=f"more than {_MOST_CALLS} operations in one forward pass",
            remedy="Do not use this file unless you know its author; give the network as ONNX.",
        )
    if "mkldnn" in name.lower():
        raise ModelLoadError(
            "the script was optimised for Intel's MKLDNN, which leaves its weights out of the file",
            where=f"{namespace}::{name}",
            remedy="Save the script as it was before torch.jit.optimize_for_inference.",
        )
    if namespace == "prim":
        return _primitive(name, arguments)
    if namespace == "quantized" or _quantized_among(arguments) or name == "quantize_per_tensor":
        return on_quantized(namespace, name, [_known(run, a) for a in arguments], named)
    if namespace == "aten":
        return _aten(run, name, arguments, named)
    return operator(namespace, name)(*arguments, **named)


def _aten(run: "Interpreter", name: str, arguments: list[Any], named: dict[str, Any]) -> Any:
    first = arguments[0] if arguments else None
    if name in _CONTAINERS and isinstance(first, list | dict | tuple | str):
        return on_numbers(name, arguments, named)
    if name in NUMBERS:
        plain = [_known(run, a) for a in arguments]
        if numbers_in(plain) and not (arguments and all(isinstance(a, Tensor) for a in arguments[:2])):
            return on_numbers(name, plain, named)
        if name in ("__is__", "__isnot__"):
            return on_numbers(name, arguments, named)
    if isinstance(first, Tensor):
        try:
            return about_tensor(name, first, arguments[1:])
        except KeyError:
            pass
    if name in ("tensor", "as_tensor"):
        return _new_tensor(*arguments[:2], **{k: v for k, v in named.items() if k == "dtype"})
    if name == "_convolution":  # traces write it; its last four settings choose among kernels
        name, arguments = "convolution", arguments[:9]
    return operator("aten", name)(*_in_evaluation(name, arguments), **named)


def _primitive(name: str, arguments: list[Any]) -> Any:
    """Do one of TorchScript's own operations; those that only computing on tensors needs are here."""
    if name == "NumToTensor":
        return arguments[0]  # sizes stay numbers, so that the batch can stay open
    if name == "RaiseException":
        raise ValueError(str(arguments[0])[:300])
    if name in ("min", "max", "abs"):
        return on_numbers(name, arguments, {})
    if name == "unchecked_unwrap_optional":
        return arguments[0]
    try:
        return about_tensor(f"prim.{name}", arguments[0], arguments[1:])
    except (KeyError, IndexError) as error:
        raise refusal(f"prim::{name}") from error


def _in_evaluation(name: str, arguments: list[Any]) -> list[Any]:
    """Switch off what a script that was traced in training mode has written down as switched on."""
    if name in ("dropout", "dropout_", "feature_dropout", "alpha_dropout") and len(arguments) > 2:
        return [*arguments[:2], False]
    if name == "batch_norm" and len(arguments) > 5 and arguments[3] is not None:
        return [*arguments[:5], False, *arguments[6:]]
    return arguments


def _new_tensor(value: Any, dtype: int | None = None) -> Tensor:
    if isinstance(value, Tensor):
        return value if dtype is None else value.to(DTYPES[dtype])
    chosen = None if dtype is None else DTYPES[dtype]
    if isinstance(value, list | tuple):
        return torch.tensor(value, dtype=chosen)
    return torch.scalar_tensor(value, dtype=chosen or _natural(value))


def _natural(value: Any) -> torch.dtype:
    if isinstance(value, bool):
        return torch.bool
    return torch.float32 if isinstance(value, float) else torch.int64


def _known(run: "Interpreter", value: Any) -> Any:
    """Return the number in a stored tensor of one element; other values as they are."""
    return run.known[id(value)][1] if isinstance(value, Tensor) and id(value) in run.known else value


def _quantized_among(values: Iterable[Any]) -> bool:
    return any(
        isinstance(v, Quantized) or (isinstance(v, list | tuple) and any(isinstance(i, Quantized) for i in v))
        for v in values
    )
