"""From a model to its Workload: every operation with shapes, MACs, weights and module path.

Importing this package costs nothing heavy; torch and onnx are imported by the function that needs them.
"""

from typing import TYPE_CHECKING

from advisor.schema import ModelInput, Workload

from .families import family
from .liveness import peak_activation_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from advisor.loading import LoadedModel

__all__ = ["family", "peak_activation_bytes", "profile", "profile_module", "profile_onnx"]


def profile(loaded: "LoadedModel", batch: int = 1) -> Workload:
    """Profile a loaded model at this batch size."""
    from advisor.loading.shapes import at_batch

    inputs = at_batch(loaded.inputs, batch)
    if loaded.module is not None:
        from .torch_model import profile_module as run

        return run(loaded.module, inputs, name=loaded.name, source=loaded.source, format=loaded.format)
    from .onnx_graph import profile_onnx as walk

    assert loaded.onnx_path is not None  # a LoadedModel holds one of the two
    return walk(loaded.onnx_path, inputs=inputs, name=loaded.name, source=loaded.source)


def profile_module(module: "nn.Module", input_shape: tuple[int, ...], *, name: str = "", source: str = "") -> Workload:
    """Profile one forward pass of a torch module; the module is not changed."""
    from .torch_model import profile_module as run

    return run(module, (ModelInput(shape=input_shape),), name=name, source=source)


def profile_onnx(
    path: "Path | str", *, input_shape: tuple[int, ...] | None = None, name: str = "", source: str = ""
) -> Workload:
    """Profile an ONNX file; open axes are fixed by `input_shape`."""
    from .onnx_graph import profile_onnx as run

    inputs = None if input_shape is None else (ModelInput(shape=input_shape),)
    return run(path, inputs=inputs, name=name, source=source)
