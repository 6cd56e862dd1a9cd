"""What loading returns: the network and what is known about it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from .preprocessing import Preprocessing


@dataclass(frozen=True)
class LoadedModel:
    """A network; exactly one of `module` and `onnx_path` is set.

    `input_shape` includes the batch. `spec` is JSON-able and gives the same model again: `load(**spec)`.
    """

    module: nn.Module | None
    onnx_path: Path | None
    name: str
    source: str
    format: str  # torch | onnx
    input_shape: tuple[int, ...]
    preprocessing: Preprocessing
    random_weights: bool
    classes: int | None
    arch: str | None
    spec: dict[str, Any]
    notes: tuple[str, ...] = ()
