"""What every runtime offers: exporting a torch module, loading an artefact, running it, and showing what really ran."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Placement:
    """Operations of the graph that the runtime really executes, after its own fusions.

    `heavy_int8` and `heavy_float` count convolutions and matrix products; `boundaries` counts quantize, dequantize and
    cast nodes that were left between them.
    """

    counts: dict[str, int] = field(default_factory=dict)
    heavy_int8: int = 0
    heavy_float: int = 0
    boundaries: int = 0

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
    """One inference runtime on this machine."""

    name: str
    suffix: str  # of its artefacts

    def available(self) -> bool:
        """Whether the runtime can be imported here."""

    def version(self) -> str:
        """Version of the runtime."""

    def export(self, module: Any, input_shape: tuple[int, ...], target: Path, *, opset: int | None = None) -> Path:
        """Write a torch module as an artefact; the file appears complete or not at all."""

    def load(self, path: Path, threads: int = 1) -> Session:
        """Open an artefact with this many threads."""

    def placement(self, path: Path) -> Placement:
        """Tell which operations really run, after the runtime's optimisations."""
