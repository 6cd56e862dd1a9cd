"""Where trainings run: the CPU or one GPU, in one process or, started by accelerate or torchrun, in several."""

import functools
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any


@functools.cache
def accelerator() -> Any:
    """Return the accelerate object of this process; on a GPU it computes in bf16 where possible, else in fp16."""
    import torch
    from accelerate import Accelerator

    if not torch.cuda.is_available():
        return Accelerator(cpu=True, mixed_precision="no")
    return Accelerator(mixed_precision="bf16" if torch.cuda.is_bf16_supported() else "fp16")


def helping() -> bool:
    """Whether this is a further process of one training, which computes but writes nothing."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and not accelerator().is_main_process


def together() -> None:
    """Wait for the other processes of the training, if there are any."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        accelerator().wait_for_everyone()


def trained_on() -> str:
    """Say what trains, for the record: 'cpu', 'cuda, bf16, 2 processes'."""
    found = accelerator()
    parts = [found.device.type]
    parts += [] if found.mixed_precision == "no" else [found.mixed_precision]
    parts += [f"{found.num_processes} processes"] if found.num_processes > 1 else []
    return ", ".join(parts)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Start all random numbers from a seed, and put the generators back to where they were afterwards.

    torch is left alone where it has not been imported: a step on an ONNX file needs none of it.
    """
    import random

    import numpy as np

    python, arrays = random.getstate(), np.random.get_state()
    with _seeded_torch(seed) if "torch" in sys.modules else nullcontext():
        random.seed(seed)
        np.random.seed(seed % 2**32)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(arrays)


@contextmanager
def _seeded_torch(seed: int) -> Iterator[None]:
    import torch

    devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    with torch.random.fork_rng(devices=list(devices)):
        torch.manual_seed(seed)
        yield


def average_gradients(parameters: list[Any]) -> None:
    """Give every process the mean of all gradients; with one process they stay as they are."""
    found = accelerator()
    if found.num_processes == 1:
        return
    import torch

    gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
    flat = found.reduce(torch.cat([g.flatten() for g in gradients]), reduction="mean")
    for parameter, part in zip(parameters, flat.split([p.numel() for p in parameters]), strict=True):
        parameter.grad = part.view_as(parameter).clone()


def same_everywhere(module: Any) -> None:
    """Give every process the buffers of the first, so that all see the same batch norms."""
    found = accelerator()
    if found.num_processes == 1:
        return
    from accelerate.utils import broadcast

    for _, buffer in module.named_buffers():
        buffer.copy_(broadcast(buffer))


def anywhere(flag: bool) -> bool:
    """Whether the flag is set in any process."""
    found = accelerator()
    if found.num_processes == 1:
        return flag
    import torch

    total = found.reduce(torch.tensor(float(flag), device=found.device), reduction="sum")
    return bool(total > 0)
