"""One forward pass that costs next to nothing: on fake tensors, which have shapes and no values.

The network that was given is never touched: the pass runs on a copy whose parameters are fake. Where fake tensors
cannot follow (a branch that looks at values), the pass is made with real zeros instead.
"""

import copy
import inspect
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, is_dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from advisor.errors import ModelLoadError, first_line
from advisor.schema import ModelInput

_LARGEST_REAL_INPUT = 2**26  # elements; above it a pass on real zeros could exhaust the memory
_MOST_CALLS = 50_000  # of modules in one pass; the largest network of timm makes under 3000


@dataclass(frozen=True)
class Rehearsal:
    """What a forward pass returned; `real` says that fake tensors were not enough, and `why`."""

    outputs: tuple[Tensor, ...]
    real: bool = False
    why: str = ""


# Runs the copy on its inputs (positional, named) and returns its outputs.
Watch = Callable[[nn.Module, tuple[Tensor, ...], dict[str, Tensor]], Any]


def rehearse(module: nn.Module, inputs: tuple[ModelInput, ...], watch: Watch | None = None) -> Rehearsal:
    """Run `module` once on inputs of these shapes in evaluation mode; `watch` may run it in its own way."""
    run = watch or (lambda copied, args, named: copied(*args, **named))

    def once(copied: nn.Module) -> tuple[Tensor, ...]:
        args, named = _examples(module, inputs)
        _limit_calls(copied)
        return tuple(tensors_in(run(copied, args, named)))

    try:
        mode = FakeTensorMode(allow_non_fake_inputs=True)
        copied = fake_copy(module, mode).eval()
        with _quiet(), mode:
            return Rehearsal(once(copied))
    except ModelLoadError:
        raise
    except Exception as fake:
        # Any error may come from the fake tensors themselves: only real ones can tell that the input is wrong.
        if sum(prod(one.shape) for one in inputs) > _LARGEST_REAL_INPUT:
            raise refused_input(module, inputs, fake) from fake
        try:
            with _quiet():
                return Rehearsal(once(real_copy(module).eval()), real=True, why=first_line(fake))
        except ModelLoadError:
            raise
        except Exception as error:
            raise refused_input(module, inputs, error) from error


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


def _examples(module: nn.Module, inputs: tuple[ModelInput, ...]) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
    """Make zeros for the inputs: positional ones first, then by name."""
    usual = input_dtype(module)
    made = [torch.zeros(i.shape, dtype=getattr(torch, i.dtype) if i.dtype else usual) for i in inputs]
    named = {i.name: value for i, value in zip(inputs, made, strict=True) if i.name}
    return tuple(value for i, value in zip(inputs, made, strict=True) if not i.name), named


def _limit_calls(module: nn.Module) -> None:
    """Let a pass end that would call modules without end: modules within modules twice each, many levels deep."""
    calls = 0

    def count(*_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls > _MOST_CALLS:
            raise ModelLoadError(
                f"the network calls its modules more than {_MOST_CALLS} times in one pass",
                where=type(module).__name__,
                remedy="Networks repeat modules some dozens of times; check where this one comes from.",
            )

    for child in module.modules():
        child.register_forward_pre_hook(count)


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


def describe_input(module: nn.Module) -> str:
    """Say what the forward method, the first layer and the network's own description ask of the input."""
    wants = []
    if len(needed := _needed_arguments(module)) > 1:
        wants.append(f"it needs {len(needed)} inputs ({', '.join(needed)}), each with its own --input NAME=SHAPE")
    first = next((m for m in module.modules() if isinstance(m, nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.Linear)), None)
    if isinstance(first, nn.Linear):
        wants.append(f"its first layer takes {first.in_features} features")
    elif first is not None:
        wants.append(f"its first convolution takes {first.in_channels} channels")
    size = (getattr(module, "pretrained_cfg", None) or {}).get("input_size")
    if size:
        wants.append(f"it was designed for {'x'.join(map(str, size))}")
    return ", ".join(wants[:-1]) + (" and " if len(wants) > 1 else "") + wants[-1] if wants else ""


def _needed_arguments(module: nn.Module) -> list[str]:
    """Name the arguments of `forward` that have no default."""
    try:
        parameters = inspect.signature(module.forward).parameters.values()
    except (TypeError, ValueError):
        return []
    free = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is p.empty and p.kind not in free]


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


def refused_input(module: nn.Module, inputs: tuple[ModelInput, ...], error: Exception) -> ModelLoadError:
    """Return the error for inputs that a network does not take."""
    wants = describe_input(module)
    shapes = ", ".join("x".join(map(str, one.shape)) for one in inputs)
    remedy = f"Give the right one with --input, for instance --input 1x3x224x224{f'; {wants}' if wants else ''}."
    return ModelLoadError(
        f"the network does not accept an input of shape {shapes}",
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
