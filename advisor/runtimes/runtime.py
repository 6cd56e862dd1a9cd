"""What every runtime offers: making its artefact, loading it, running it, and showing what really ran."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def whole_or_float32(outputs: Iterable[NDArray[Any]]) -> tuple[NDArray[Any], ...]:
    """Return outputs as sessions give them: floats of any width as float32, whole numbers as they are."""
    return tuple(out.astype(np.float32) if out.dtype.kind == "f" else out for out in outputs)


@dataclass(frozen=True)
class Placement:
    """Operations of the graph that the runtime really executes, after its own fusions.

    `heavy_int8` and `heavy_float` count convolutions and matrix products; `boundaries` counts quantize, dequantize and
    cast nodes that were left between them. `arithmetic` counts the heavy ones by what they compute in ('f32', 'bf16',
    'u8s8', ...) where the runtime tells; `elsewhere` counts operations that its fast kernels did not take.
    """

    counts: dict[str, int] = field(default_factory=dict)
    heavy_int8: int = 0
    heavy_float: int = 0
    boundaries: int = 0
    arithmetic: dict[str, int] = field(default_factory=dict)
    elsewhere: dict[str, int] = field(default_factory=dict)

    @property
    def int8_share(self) -> float | None:
        """Share of heavy operations that run on integers; None where there are none."""
        heavy = self.heavy_int8 + self.heavy_float
        return self.heavy_int8 / heavy if heavy else None


class Session(Protocol):
    """A loaded artefact: call it with one float32 batch of exactly `input_shape`."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape that the artefact was built for, batch included."""

    def __call__(self, batch: Array) -> Array:
        """Return the first output."""

    def outputs(self, batch: Array) -> tuple[NDArray[Any], ...]:
        """Return all outputs: floats as float32, whole numbers as they are."""


class Runtime(Protocol):
    """One inference runtime on this machine.

    It may also have `remedy`, a sentence on what is missing where it is not available, `converter`, the environment of
    its own in which it converts (`environments.Environment`), and `concurrent`, true where several threads may run one
    session at a time.
    """

    name: str
    suffix: str  # of its artefacts
    extra: str  # of advisor's package that installs it; empty where it always comes along
    module: str  # what importing it imports; its memory is the runtime's own share
    arithmetic: Mapping[str, str]  # precision of a plan -> what heavy operations really compute in

    def available(self) -> bool:
        """Whether the runtime can be imported here."""

    def version(self) -> str:
        """Version of the runtime."""

    def export(self, module: Any, input_shape: tuple[int, ...], target: Path, *, opset: int | None = None) -> Path:
        """Write a torch module as an artefact; the file appears complete or not at all."""

    def convert(self, onnx: Path, target: Path) -> Path:
        """Write an ONNX file as an artefact, whole or not at all; NotApplicable says what does not fit."""

    def files(self, path: Path) -> tuple[Path, ...]:
        """Return all files of an artefact, `path` first."""

    def load(self, path: Path, threads: int = 1) -> Session:
        """Open an artefact with this many threads."""

    def placement(self, path: Path) -> Placement:
        """Tell which operations really run, after the runtime's optimisations."""
