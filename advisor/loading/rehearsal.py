"""One forward pass that costs next to nothing: on fake tensors, which have shapes and no values.

The network that was given is never touched: the pass runs on a copy whose parameters are fake. Where fake tensors
cannot follow (a branch that looks at values), the pass is made with real zeros instead.
"""

import copy
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, is_dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from advisor.errors import ModelLoadError

_LARGEST_REAL_INPUT = 2**26  # elements; above it a pass on real zeros could exhaust the memory


@dataclass(frozen=True)
class Rehearsal:
    """What a forward pass returned; `real` says that fake tensors were not enough, and `why`."""

    outputs: tuple[Tensor, ...]
    real: bool = False
    why: str = ""


Watch = Callable[[nn.Module, Tensor], Any]  # runs the copy on the input, returns its outputs


def rehearse(module: nn.Module, shape: tuple[int, ...], watch: Watch | None = None) -> Rehearsal:
    """Run `module` once on an input of this shape in evaluation mode; `watch` may run it in its own way."""
    run = watch or (lambda copied, x: copied(x))
    try:
        mode = FakeTensorMode(allow_non_fake_inputs=True)
        copied = fake_copy(module, mode).eval()
        with _quiet(), mode:
            return Rehearsal(tuple(tensors_in(run(copied, torch.zeros(shape, dtype=input_dtype(module))))))
    except ModelLoadError:
        raise
    except Exception as fake:
        # Any error may come from the fake tensors themselves: only real ones can tell that the input is wrong.
        if prod(shape) > _LARGEST_REAL_INPUT:
            raise _refusal(module, shape, fake) from fake
        try:
            with _quiet():
                copied = real_copy(module).eval()
                outputs = tensors_in(run(copied, torch.zeros(shape, dtype=input_dtype(module))))
                return Rehearsal(tuple(outputs), real=True, why=first_line(fake))
        except ModelLoadError:
            raise
        except Exception as error:
            raise _refusal(module, shape, error) from error


def fake_copy(module: nn.Module, mode: FakeTensorMode) -> nn.Module:
    """Copy a network with fake parameters and buffers in place of its own; sharing is kept, no weight is copied."""
    stand_ins: dict[int, Any] = {}
    with mode:
        for parameter in module.parameters():
            stand_ins[id(parameter)] = nn.Parameter(_like(parameter), requires_grad=False)
        for buffer in module.buffers():
            stand_ins[id(buffer)] = _like(buffer)
    return _copy(module, stand_ins)


def real_copy(module: nn.Module) -> nn.Module:
    """Copy a network; its weights are copied, or made zeros where they never had values."""
    stand_ins: dict[int, Any] = {
        id(t): nn.Parameter(torch.zeros_like(t, device="cpu"), requires_grad=False)
        if isinstance(t, nn.Parameter)
        else torch.zeros_like(t, device="cpu")
        for t in (*module.parameters(), *module.buffers())
        if t.is_meta
    }
    return _copy(module, stand_ins)


def input_dtype(module: nn.Module) -> torch.dtype:
    """Return the dtype of the first floating parameter, float32 without any."""
    return next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Yield the tensors in nested tuples, lists, mappings and dataclasses, in order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from tensors_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors_in(item)
    elif is_dataclass(value) and not isinstance(value, type):
        yield from tensors_in(vars(value))


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or its class."""
    text = str(error).strip()
    return (text.splitlines()[0] if text else type(error).__name__)[:300]


def describe_input(module: nn.Module) -> str:
    """Say what the first layer and the network's own description ask of the input."""
    wants = []
    first = next((m for m in module.modules() if isinstance(m, nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.Linear)), None)
    if isinstance(first, nn.Linear):
        wants.append(f"its first layer takes {first.in_features} features")
    elif first is not None:
        wants.append(f"its first convolution takes {first.in_channels} channels")
    size = (getattr(module, "pretrained_cfg", None) or {}).get("input_size")
    if size:
        wants.append(f"it was designed for {'x'.join(map(str, size))}")
    return " and ".join(wants)


def _like(tensor: Tensor) -> Tensor:
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype)


def _copy(module: nn.Module, stand_ins: dict[int, Any]) -> nn.Module:
    try:
        return copy.deepcopy(module, stand_ins)
    except Exception as error:
        raise ModelLoadError(
            "the network cannot be copied",
            where=f"{type(module).__name__}: {first_line(error)}",
            remedy="Remove weight normalisation, open handles and locks from the module, or pass a plain copy.",
        ) from error


def _refusal(module: nn.Module, shape: tuple[int, ...], error: Exception) -> ModelLoadError:
    wants = describe_input(module)
    remedy = f"Give the right one with --input, for instance --input 1,3,224,224{f'; {wants}' if wants else ''}."
    return ModelLoadError(
        f"the network does not accept an input of shape {'x'.join(map(str, shape))}",
        where=f"{type(module).__name__}: {first_line(error)}",
        remedy=remedy,
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Run without gradients, without torch's log of refused inputs and without the fused transformer encoder.

    The fused encoder would hide its parts; a refused input is told once, as an error.
    """
    fast = torch.backends.mha.get_fastpath_enabled()
    logger = logging.getLogger("torch._subclasses.fake_tensor")
    level = logger.level
    torch.backends.mha.set_fastpath_enabled(False)
    logger.setLevel(logging.CRITICAL)
    try:
        with torch.no_grad():
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        logger.setLevel(level)
