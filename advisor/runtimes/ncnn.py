"""ncnn on the CPU, through its Python package. Artefacts are a .param file, which names the layers, and a .bin file.

The first line of the layers tells the shape of the input, which ncnn itself does not need to know. fp16 and bf16
storage are off, so that floats are what the plan says; on Arm, ncnn would use them by itself.
"""

from collections import Counter
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.errors import NotApplicable, RunError

from .ncnn_param import INPUT, Param, read_param
from .runtime import Array, Placement

_CONVOLUTIONS = frozenset({"Convolution", "ConvolutionDepthWise", "Convolution1D", "Deconvolution", "InnerProduct"})
_HEAVY = _CONVOLUTIONS | {"Gemm", "MatMul", "DeconvolutionDepthWise", "MultiHeadAttention", "SDPA"}
_HALVES = ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_packed", "use_bf16_storage")


class NcnnSession:
    """An open pair of .param and .bin; images of a batch run one after the other."""

    def __init__(self, path: Path, threads: int) -> None:
        import ncnn

        self._ncnn = ncnn
        param = _read(path)
        self.input_shape: tuple[int, ...] = param.input_shape
        self._net = ncnn.Net()
        self._net.opt.num_threads = threads
        for name in _HALVES:
            if hasattr(self._net.opt, name):
                setattr(self._net.opt, name, False)
        if self._net.load_param(str(path)) or self._net.load_model(str(path.with_suffix(".bin"))):
            raise RunError("ncnn cannot open the files", where=str(path), remedy="Convert the model again.")
        self._outputs = list(self._net.output_names())

    def __call__(self, batch: Array) -> Array:
        """Run one batch and return the first output."""
        return self.outputs(batch)[0]

    def outputs(self, batch: Array) -> tuple[NDArray[Any], ...]:
        """Run the images one by one and return all outputs."""
        rows = [self._one(np.ascontiguousarray(image, np.float32)) for image in batch]
        return tuple(np.stack(found) for found in zip(*rows, strict=True))

    def _one(self, image: Array) -> list[Array]:
        extractor = self._net.create_extractor()
        extractor.input(INPUT, self._ncnn.Mat(image))
        found = []
        for name in self._outputs:
            failed, out = extractor.extract(name)
            if failed:
                raise RunError("ncnn stopped in the middle of the network")
            found.append(np.array(out, dtype=np.float32))
        return found


class Ncnn:
    """The runtime `ncnn` on the unit cpu."""

    name = "ncnn"
    suffix = ".param"
    extra = "ncnn"
    module = "ncnn"
    arithmetic: Mapping[str, str] = MappingProxyType(
        {
            "fp32": "f32; half storage, which ncnn uses on Arm by itself, is switched off",
            "fp16": "f32 from weights that were rounded to 16 bits",
            "int8": "s8s8 in convolutions and dense layers of vectors, f32 in products of matrices and between layers",
        }
    )

    def available(self) -> bool:
        """Whether ncnn and its converter pnnx are installed."""
        from . import present

        return present("ncnn") and present("pnnx")

    def version(self) -> str:
        """Version of ncnn."""
        return version("ncnn")

    def export(self, module: Any, input_shape: tuple[int, ...], target: Path, *, opset: int | None = None) -> Path:
        """Write a torch module as .param and .bin, by way of ONNX."""
        from .by_onnx import export_by_onnx

        return export_by_onnx(self, module, input_shape, target, opset)

    def convert(self, onnx: Path, target: Path) -> Path:
        """Convert an ONNX file with pnnx; files with quantize nodes become int8 where ncnn has integer layers."""
        from .pnnx import convert_by_pnnx

        return convert_by_pnnx(onnx, target)

    def files(self, path: Path) -> tuple[Path, ...]:
        """Return the layers and their weights."""
        return path, path.with_suffix(".bin")

    def load(self, path: Path, threads: int = 1) -> NcnnSession:
        """Open the two files."""
        return NcnnSession(path, threads)

    def placement(self, path: Path) -> Placement:
        """Count the layers; the file says which of them are integer."""
        counts: Counter[str] = Counter()
        heavy: Counter[str] = Counter()
        for layer in _read(path).layers:
            counts[f"{layer.kind} int8" if layer.integer else layer.kind] += 1
            if layer.kind in _HEAVY:
                heavy["s8s8" if layer.integer else "f32"] += 1
        return Placement(
            counts=dict(sorted(counts.items())),
            heavy_int8=heavy["s8s8"],
            heavy_float=heavy["f32"],
            boundaries=sum(n for kind, n in counts.items() if kind in ("Quantize", "Dequantize", "Requantize", "Cast")),
            arithmetic=dict(heavy),
        )


def _read(path: Path) -> Param:
    if not path.is_file() or not path.with_suffix(".bin").is_file():
        raise RunError("the .param or the .bin file is missing", where=str(path), remedy="Convert the model again.")
    try:
        param = read_param(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise RunError(f"this is no file of ncnn: {error}", where=str(path)) from error
    if not param.input_shape:
        raise NotApplicable("the file does not tell the shape of its input", where=str(path), remedy="Convert it here.")
    return param
