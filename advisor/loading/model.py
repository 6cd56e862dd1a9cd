"""What loading returns: the network and what is known about it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.schema import ModelInput

from .preprocessing import Preprocessing

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class LoadedModel:
    """A network; exactly one of `module` and `onnx_path` is set.

    Shapes of `inputs` include the batch. `spec` is JSON-able and gives the same model again: `load(**spec)`.
    """

    module: "nn.Module | None"
    onnx_path: Path | None
    name: str
    source: str
    format: str  # torch | torchscript | exported | onnx
    inputs: tuple[ModelInput, ...]
    preprocessing: Preprocessing
    random_weights: bool
    classes: int | None
    arch: str | None
    spec: dict[str, Any]
    kind: str = ""  # what was opened, in words
    recognised: str = ""  # how the architecture is known, in words
    twins: tuple[str, ...] = ()  # architectures that fit the weights as well
    notes: tuple[str, ...] = ()

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of the first input, the image, batch included."""
        return self.inputs[0].shape
