"""One pass of an opened network on tensors without values, before anything of it may touch real memory."""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from advisor.errors import ModelLoadError, first_line

from .opened import LARGEST_TENSOR, shown
from .rehearsal import fake_copy, tensors_in

_TALKATIVE = ("torch", "torch._subclasses.fake_tensor")


def check_pass(module: nn.Module, shape: tuple[int, ...], dtype: torch.dtype, path: Path, suggested: str) -> None:
    """Raise an error that says what is wrong with the file or with the shape; `suggested` is a shape that may fit.

    Real tensors are never tried: a hostile file could make them as large as it likes.
    """
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    copied = fake_copy(module, mode)
    try:
        with quiet(), mode, _Bounds(), torch.no_grad():  # type: ignore[no-untyped-call]
            copied(torch.zeros(shape, dtype=dtype))
    except ModelLoadError as error:
        raise ModelLoadError(error.what, where=error.where or str(path), remedy=error.remedy) from error
    except Exception as error:
        raise ModelLoadError(
            f"the network does not accept an input of shape {'x'.join(map(str, shape))}",
            where=f"{path}: {shown(first_line(error))}",
            remedy=f"Give the right one with --input, for instance --input {suggested}.",
        ) from error


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep torch's logs and warnings away: what fails is told once, as an error."""
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


class _Bounds(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Refuses results that would not fit into any memory."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tensors_in(result):
            if isinstance(tensor, Tensor) and prod(int(side) for side in tensor.shape) > LARGEST_TENSOR:
                raise ModelLoadError(
                    "the network makes a tensor that is too large",
                    where=f"{func}: {'x'.join(map(str, tensor.shape))}",
                    remedy="Give a smaller --input; no vision network needs tensors of 8 GB.",
                )
        return result
