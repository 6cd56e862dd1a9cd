"""PyTorch on the CPU without compilation: the baseline of "change nothing". Artefacts are torch.export archives."""

import copy
import os
from collections import Counter
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.errors import ModelLoadError, NotApplicable, RunError

from .runtime import Array, Placement


class TorchSession:
    """An open archive of one static shape."""

    def __init__(self, path: Path, threads: int) -> None:
        import torch

        self._torch = torch
        self._threads = threads
        self._module, self.input_shape = self._opened(path)

    def _opened(self, path: Path) -> tuple[Any, tuple[int, ...]]:
        """Return what is called with a tensor, and the shape of it."""
        opened = open_archive(path)
        return opened.module, opened.input_shape

    def __call__(self, batch: Array) -> Array:
        """Run one batch and return the first output."""
        return np.asarray(self.outputs(batch)[0], dtype=np.float32)

    def outputs(self, batch: Array) -> tuple[NDArray[Any], ...]:
        """Run one batch and return all outputs."""
        before = self._torch.get_num_threads()
        if before != self._threads:
            self._torch.set_num_threads(self._threads)
        try:
            with self._torch.inference_mode():
                output = self._module(self._torch.from_numpy(batch))
        finally:
            if before != self._threads:
                self._torch.set_num_threads(before)
        found = output if isinstance(output, (tuple, list)) else (output,)
        return tuple((out.float() if out.is_floating_point() else out).numpy() for out in found)


class PyTorch:
    """The runtime `pytorch` on the unit cpu."""

    name = "pytorch"
    suffix = ".pt2"
    extra = ""
    module = "torch"
    arithmetic: Mapping[str, str] = MappingProxyType({"fp32": "f32", "int8": "f32 between simulated quantize nodes"})

    def available(self) -> bool:
        """Whether torch is installed."""
        from . import present

        return present("torch")

    def version(self) -> str:
        """Version of torch."""
        return version("torch")

    def export(self, module: Any, input_shape: tuple[int, ...], target: Path, *, opset: int | None = None) -> Path:
        """Write a torch.export archive of one static shape; `opset` means nothing here."""
        import torch

        if opset is not None:
            raise NotApplicable("an opset belongs to ONNX files", remedy="Leave it out for pytorch.")
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.stem}.partial.pt2")
        try:
            program = torch.export.export(copy.deepcopy(module).cpu().eval(), (torch.zeros(input_shape),))
            torch.export.save(program, str(partial))
            os.replace(partial, target)
        except Exception as error:  # torch.export raises dozens of private classes
            raise NotApplicable(f"the model cannot be exported: {str(error)[:300]}") from error
        finally:
            partial.unlink(missing_ok=True)
        return target

    def convert(self, onnx: Path, target: Path) -> Path:
        """Write an ONNX file as an archive; quantize nodes are simulated in floats."""
        from .onnx_torch import from_onnx

        try:
            module, shape = from_onnx(onnx)
        except ValueError as error:
            remedy = "Use onnxruntime for this file."
            raise NotApplicable(f"pytorch cannot take the file: {error}", where=str(onnx), remedy=remedy) from error
        return self.export(module, shape, target)

    def files(self, path: Path) -> tuple[Path, ...]:
        """Return the archive."""
        return (path,)

    def load(self, path: Path, threads: int = 1) -> TorchSession:
        """Open an archive."""
        return TorchSession(path, threads)

    def placement(self, path: Path) -> Placement:
        """Count the operators of the exported graph; all of them run in float."""
        nodes = open_archive(path).module.graph.nodes
        counts = Counter(str(node.target) for node in nodes if node.op == "call_function")
        heavy = sum(n for op, n in counts.items() if any(word in op for word in ("conv", "linear", "mm", "attention")))
        return Placement(counts=dict(sorted(counts.items())), heavy_float=heavy)


def open_archive(path: Path) -> Any:
    """Open an archive without executing what it carries: a run's folder may come from anywhere."""
    from advisor.loading.exported import open_exported

    try:
        return open_exported(path, None)
    except ModelLoadError as error:
        raise RunError(error.what, where=error.where, remedy=error.remedy) from error
