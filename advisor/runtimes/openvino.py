"""OpenVINO on the CPU. Artefacts are its IR: an .xml file and the weights beside it as .bin.

CPUs with AMX or AVX512-BF16 compute float models in bfloat16 unless told otherwise, which is twice as fast and not the
arithmetic that was asked for. The IR says in its `rt_info` what it is to be computed in, and sessions obey it.
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

from .runtime import Array, Placement, whole_or_float32

PRECISION = ["advisor", "inference_precision"]  # where the IR says what it is computed in
_HEAVY = frozenset({"Convolution", "Deconvolution", "GroupConvolution", "FullyConnected", "MatMul", "Inner_Product"})
_BOUNDARIES = frozenset({"Reorder", "Convert", "FakeQuantize", "Quantize"})
_INTEGERS = frozenset({"u8", "i8"})
_IDLE = frozenset({"Input", "Output", "Const"})


class OpenVinoSession:
    """A compiled IR of one static shape; `precision` overrides what the file says ('f32', 'bf16')."""

    def __init__(self, path: Path, threads: int, precision: str | None = None) -> None:
        self._compiled = _compiled(path, threads, precision)
        self._request = self._compiled.create_infer_request()
        found = self._compiled.inputs
        if len(found) != 1:
            raise NotApplicable(
                f"the model has {len(found)} inputs", where=str(path), remedy="Only models of one image run."
            )
        self.input_shape: tuple[int, ...] = tuple(found[0].shape)
        self._type = np.dtype(found[0].element_type.to_dtype())

    def __call__(self, batch: Array) -> Array:
        """Run one batch and return the first output."""
        return self.outputs(batch)[0]

    def outputs(self, batch: Array) -> tuple[NDArray[Any], ...]:
        """Run one batch and return all outputs."""
        self._request.infer([batch.astype(self._type, copy=False)], share_inputs=True)
        return whole_or_float32(tensor.data.copy() for tensor in self._request.output_tensors)


class OpenVino:
    """The runtime `openvino` on the unit cpu."""

    name = "openvino"
    suffix = ".xml"
    extra = "openvino"
    module = "openvino"
    arithmetic: Mapping[str, str] = MappingProxyType(
        {
            "fp32": "f32, forced: the CPU's default may be bf16",
            "fp16": "f32: weights of 16 bits are stored, the CPU computes in f32",
            "bf16": "bf16 where the CPU multiplies it (AMX, AVX512-BF16), else f32",
            "int8": "u8s8 with sums in 32 bits, float operations between them in f32",
            "w8": "f32, or integers where the plug-in quantizes activations on the fly",
            "w4": "f32, or integers where the plug-in quantizes activations on the fly",
        }
    )

    def available(self) -> bool:
        """Whether openvino is installed."""
        from . import present

        return present("openvino")

    def version(self) -> str:
        """Version of openvino."""
        return version("openvino")

    def export(self, module: Any, input_shape: tuple[int, ...], target: Path, *, opset: int | None = None) -> Path:
        """Write a torch module as an IR, by way of ONNX."""
        from .by_onnx import export_by_onnx

        return export_by_onnx(self, module, input_shape, target, opset)

    def convert(self, onnx: Path, target: Path) -> Path:
        """Read an ONNX file, float or with quantize nodes, and write it as an IR."""
        import openvino

        try:
            model = openvino.Core().read_model(str(onnx))
            model.reshape({one.any_name: _static(one) for one in model.inputs})
        except Exception as error:  # one class for everything that it cannot read
            raise NotApplicable(
                f"openvino cannot read the file: {_reason(error)}", where=str(onnx), remedy="Use onnxruntime."
            ) from error
        model.set_rt_info(_stored_precision(model), PRECISION)
        return _written(model, target)

    def files(self, path: Path) -> tuple[Path, ...]:
        """Return the graph and its weights."""
        return path, path.with_suffix(".bin")

    def load(self, path: Path, threads: int = 1) -> OpenVinoSession:
        """Open an IR and compile it."""
        return OpenVinoSession(path, threads)

    def placement(self, path: Path) -> Placement:
        """Count the layers of the compiled model by kind and by the precision that they run in."""
        counts: Counter[str] = Counter()
        heavy: Counter[str] = Counter()
        for kind, precision in executed_layers(path):
            counts[f"{kind} {precision}"] += 1
            if kind in _HEAVY:
                heavy["u8s8" if precision in _INTEGERS else precision] += 1
        whole = heavy["u8s8"]
        return Placement(
            counts=dict(sorted(counts.items())),
            heavy_int8=whole,
            heavy_float=heavy.total() - whole,
            boundaries=sum(n for name, n in counts.items() if name.split()[0] in _BOUNDARIES),
            arithmetic=dict(heavy),
        )


def executed_layers(path: Path, precision: str | None = None) -> list[tuple[str, str]]:
    """Return kind and precision of every layer that the compiled model runs ('Convolution', 'u8')."""
    found = []
    for layer in _compiled(path, 1, precision).get_runtime_model().get_ops():
        told = layer.get_rt_info()
        kind, runs_in = (told[key].astype(str) if key in told else "" for key in ("layerType", "runtimePrecision"))
        if kind not in _IDLE:
            found.append((kind, runs_in))
    return found


def default_precision() -> str:
    """Return what this CPU computes float models in where nothing is said: 'f32' or 'bf16'."""
    import openvino

    hint = str(openvino.Core().get_property("CPU", "INFERENCE_PRECISION_HINT").to_string())
    return {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}.get(hint, hint)


def _compiled(path: Path, threads: int, precision: str | None) -> Any:
    import openvino

    core = openvino.Core()
    if not path.is_file() or not path.with_suffix(".bin").is_file():
        raise RunError("the IR lacks its .xml or its .bin file", where=str(path), remedy="Convert the model again.")
    try:
        model = core.read_model(str(path), str(path.with_suffix(".bin")))
        settings = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": "1",
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": precision or _wanted(model),
        }
        return core.compile_model(model, "CPU", settings)
    except Exception as error:  # one class for everything that it cannot read
        raise RunError(f"openvino cannot open the file: {_reason(error)}", where=str(path)) from error


def _reason(error: Exception) -> str:
    """Return the first line that says more than where in OpenVINO's own sources something was raised."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(("Exception from", "Check '", "FrontEnd API"))]
    return told[0][:200] if told else first_line(error)


def _wanted(model: Any) -> str:
    """Return what the file says it is computed in; files of other tools are computed in f32."""
    return str(model.get_rt_info(PRECISION).astype(str)) if model.has_rt_info(PRECISION) else "f32"


def _stored_precision(model: Any) -> str:
    """Return bf16 for files whose weights are stored so, else f32."""
    kinds = {node.get_element_type().to_string() for node in model.get_ops() if node.get_type_name() == "Constant"}
    return "bf16" if kinds & {"bf16", "bfloat16"} else "f32"


def _static(port: Any) -> list[int]:
    return [int(size.get_length()) if size.is_static else 1 for size in port.partial_shape]


def _written(model: Any, target: Path) -> Path:
    import openvino

    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.stem}.partial.xml")
    try:
        openvino.save_model(model, str(partial), compress_to_fp16=False)
        os.replace(partial.with_suffix(".bin"), target.with_suffix(".bin"))
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
        partial.with_suffix(".bin").unlink(missing_ok=True)
    return target
