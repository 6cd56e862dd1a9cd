"""Artefacts of runtimes that start from ONNX, made from torch modules."""

import tempfile
from pathlib import Path
from typing import Any

from .onnx_export import export_onnx
from .runtime import Runtime


def export_by_onnx(
    runtime: Runtime, module: Any, input_shape: tuple[int, ...], target: Path, opset: int | None = None
) -> Path:
    """Write a module as ONNX into a folder of its own, and convert that."""
    with tempfile.TemporaryDirectory() as folder:
        file = export_onnx(module, input_shape, Path(folder) / "model.onnx", opset=opset)
        return runtime.convert(file, target)
