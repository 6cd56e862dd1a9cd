"""ExecuTorch with its XNNPACK back end on the CPU. Artefacts are .pte programs.

What XNNPACK takes becomes a part of its own ('delegated'); everything else runs in portable kernels, which are written
to be small, not fast.
"""

import os
from collections import Counter
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.errors import NotApplicable, RunError, first_line

from .pte import HEAVY, delegated_layers, portable_kernels, read_program
from .runtime import Array, Placement
from .silence import silent

REMEDY = "Use onnxruntime or openvino for this network."
_HEAVY = frozenset({"convolution", "linear", "addmm", "mm", "bmm"})  # as portable kernels


class ExecuTorchSession:
    """A loaded program of one static shape."""

    def __init__(self, path: Path, threads: int) -> None:
        import torch

        self._torch = torch
        if not path.is_file():
            raise RunError("the program is missing", where=str(path), remedy="Convert the model again.")
        try:
            with silent():
                from executorch.extension.pybindings import portable_lib
                from executorch.runtime import Runtime

                if portable_lib._threadpool_get_thread_count() != threads:
                    portable_lib._unsafe_reset_threadpool(threads)  # one pool for the whole process
                self._program = Runtime.get().load_program(path.read_bytes())
                self._method = self._program.load_method("forward")
        except Exception as error:  # RuntimeError with a number, or ValueError
            raise RunError(f"executorch cannot open the program: {first_line(error)}", where=str(path)) from error
        self.input_shape: tuple[int, ...] = tuple(self._method.metadata.input_tensor_meta(0).sizes())

    def __call__(self, batch: Array) -> Array:
        """Run one batch and return the first output."""
        return self.outputs(batch)[0]

    def outputs(self, batch: Array) -> tuple[NDArray[Any], ...]:
        """Run one batch and return all outputs."""
        found = self._method.execute([self._torch.from_numpy(np.ascontiguousarray(batch, np.float32))])
        return tuple((out.float() if out.is_floating_point() else out).numpy().copy() for out in found)


class ExecuTorch:
    """The runtime `executorch` on the unit cpu."""

    name = "executorch"
    suffix = ".pte"
    extra = "executorch"
    module = "executorch.runtime"
    arithmetic: Mapping[str, str] = MappingProxyType(
        {
            "fp32": "f32 in XNNPACK",
            "int8": "s8s8 in XNNPACK (activations moved from unsigned bytes), float operations between them in f32",
        }
    )

    def available(self) -> bool:
        """Whether executorch is installed."""
        from . import present

        return present("executorch.runtime")

    def version(self) -> str:
        """Version of executorch."""
        return version("executorch")

    def export(self, module: Any, input_shape: tuple[int, ...], target: Path, *, opset: int | None = None) -> Path:
        """Write a torch module as a program."""
        import copy

        if opset is not None:
            raise NotApplicable("an opset belongs to ONNX files", remedy="Leave it out for executorch.")
        return _lowered(copy.deepcopy(module).cpu().eval(), input_shape, target)

    def convert(self, onnx: Path, target: Path) -> Path:
        """Read an ONNX file, float or with quantize nodes, as a torch module and lower that."""
        from .onnx_torch import from_onnx

        try:
            module, shape = from_onnx(onnx)
        except ValueError as error:
            raise NotApplicable(f"executorch cannot take the file: {error}", where=str(onnx), remedy=REMEDY) from error
        return _lowered(module, shape, target)

    def files(self, path: Path) -> tuple[Path, ...]:
        """Return the program."""
        return (path,)

    def load(self, path: Path, threads: int = 1) -> ExecuTorchSession:
        """Open a program."""
        return ExecuTorchSession(path, threads)

    def placement(self, path: Path) -> Placement:
        """Count what XNNPACK took, and the portable kernels beside it."""
        program = read_program(path.read_bytes())
        inside, outside = delegated_layers(program), portable_kernels(program)
        heavy: Counter[str] = Counter()
        for (kind, arithmetic), count in inside.items():
            if kind in HEAVY:
                heavy[arithmetic] += count
        left = sum(n for name, n in outside.items() if name.split(".")[0] in _HEAVY)
        counts = {f"XNNPACK {kind} {arithmetic}": n for (kind, arithmetic), n in inside.items()}
        counts |= {f"portable {name}": n for name, n in outside.items()}
        return Placement(
            counts=dict(sorted(counts.items())),
            heavy_int8=heavy["s8s8"],
            heavy_float=heavy.total() - heavy["s8s8"] + left,
            boundaries=sum(n for (kind, _), n in inside.items() if kind == "Convert"),
            arithmetic=dict(heavy),
            elsewhere=dict(outside),
        )


def _lowered(module: Any, shape: tuple[int, ...], target: Path) -> Path:
    """Lower a module to XNNPACK and write the program, whole or not at all."""
    import torch

    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.stem}.partial.pte")
    try:
        with silent(), torch.no_grad():
            from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
            from executorch.exir import to_edge_transform_and_lower

            program = torch.export.export(module, (torch.zeros(shape),), strict=False)
            lowered = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
            partial.write_bytes(lowered.to_executorch().buffer)
        os.replace(partial, target)
    except Exception as error:  # torch.export and the lowering raise dozens of private classes
        raise NotApplicable(f"executorch cannot lower the model: {first_line(error)}", remedy=REMEDY) from error
    finally:
        partial.unlink(missing_ok=True)
    return target
