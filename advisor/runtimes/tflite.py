"""LiteRT (TensorFlow Lite) on the CPU, with its XNNPACK delegate. Artefacts are .tflite files.

They are run here, by ai-edge-litert, and made in an environment of its own: the converter litert-torch wants another
version of torch. int8 files have int8 inputs and outputs; sessions quantize and dequantize them.
"""

import json
import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.errors import NotApplicable, RunError, first_line

from .environments import Environment
from .runtime import Array, Placement
from .silence import silent

CONVERTER = Environment(
    name="litert-torch-0.10.0",
    packages=("litert-torch==0.10.0", "onnx>=1.18"),
    reason="litert-torch 0.10 wants torch 2.14",
    size="about 7 GB, most of it torch",
    variable="ADVISOR_LITERT_PYTHON",
)
TIMEOUT_SECONDS = 1200
REMEDY = "Use onnxruntime or openvino for this network."
_HEAVY = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED", "BATCH_MATMUL"})
_BOUNDARIES = frozenset({"QUANTIZE", "DEQUANTIZE", "CAST"})


class LiteRtSession:
    """An open file of one static shape; `input_shape` is that of the network, batch included."""

    def __init__(self, path: Path, threads: int) -> None:
        self._interpreter = _interpreter(path, threads)
        self._input = self._interpreter.get_input_details()[0]
        self._outputs = self._interpreter.get_output_details()
        self.input_shape: tuple[int, ...] = tuple(int(size) for size in self._input["shape"])

    def __call__(self, batch: Array) -> Array:
        """Run one batch and return the first output."""
        return np.asarray(self.outputs(batch)[0], np.float32)

    def outputs(self, batch: Array) -> tuple[NDArray[Any], ...]:
        """Run one batch and return all outputs."""
        self._interpreter.set_tensor(self._input["index"], _quantized(batch, self._input))
        self._interpreter.invoke()
        return tuple(_floats(self._interpreter.get_tensor(one["index"]), one) for one in self._outputs)


class LiteRt:
    """The runtime `tflite` on the unit cpu."""

    name = "tflite"
    suffix = ".tflite"
    extra = "litert"
    module = "ai_edge_litert.interpreter"
    converter = CONVERTER
    arithmetic: Mapping[str, str] = MappingProxyType(
        {
            "fp32": "f32 in XNNPACK",
            "int8": "s8s8 in XNNPACK (activations moved from unsigned bytes), float operations between them in f32",
        }
    )

    def available(self) -> bool:
        """Whether ai-edge-litert is installed, which runs the files; making them needs more."""
        from . import present

        return present("ai_edge_litert")

    def version(self) -> str:
        """Version of ai-edge-litert."""
        return version("ai-edge-litert")

    def export(self, module: Any, input_shape: tuple[int, ...], target: Path, *, opset: int | None = None) -> Path:
        """Write a torch module as a .tflite file, by way of ONNX."""
        from .by_onnx import export_by_onnx

        return export_by_onnx(self, module, input_shape, target, opset)

    def convert(self, onnx: Path, target: Path) -> Path:
        """Convert an ONNX file, float or with quantize nodes, in the environment of the converter."""
        python = CONVERTER.needed()
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.stem}.partial.tflite")
        try:
            refused = _in_environment(python, onnx.resolve(), partial.resolve())
            if refused or not partial.is_file():
                raise NotApplicable(
                    f"litert-torch cannot convert the file: {refused or 'it wrote nothing'}",
                    where=str(onnx),
                    remedy=REMEDY,
                )
            try:
                _interpreter(partial, 1)  # some graphs convert and then do not open
            except RunError as error:
                raise NotApplicable(error.what, where=str(onnx), remedy=REMEDY) from error
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)
        return target

    def files(self, path: Path) -> tuple[Path, ...]:
        """Return the file."""
        return (path,)

    def load(self, path: Path, threads: int = 1) -> LiteRtSession:
        """Open a file."""
        return LiteRtSession(path, threads)

    def placement(self, path: Path) -> Placement:
        """Count the operations by what they read; 'DELEGATE' counts the parts that XNNPACK took over."""
        interpreter = _interpreter(path, 1)
        kinds = {one["index"]: np.dtype(one["dtype"]).name for one in interpreter.get_tensor_details()}
        counts: Counter[str] = Counter()
        heavy: Counter[str] = Counter()
        for operation in interpreter._get_ops_details():
            name, first = operation["op_name"], next((i for i in operation["inputs"] if i >= 0), -1)
            kind = {"int8": "s8", "float32": "f32", "float16": "f16"}.get(kinds.get(first, ""), kinds.get(first, ""))
            counts[name if name == "DELEGATE" else f"{name} {kind}"] += 1
            if name in _HEAVY:
                heavy["s8s8" if kind == "s8" else kind] += 1
        return Placement(
            counts=dict(sorted(counts.items())),
            heavy_int8=heavy["s8s8"],
            heavy_float=heavy.total() - heavy["s8s8"],
            boundaries=sum(n for name, n in counts.items() if name.split()[0] in _BOUNDARIES),
            arithmetic=dict(heavy),
        )


def _interpreter(path: Path, threads: int) -> Any:
    if not path.is_file():
        raise RunError("the file is missing", where=str(path), remedy="Convert the model again.")
    try:
        with silent():
            from ai_edge_litert.interpreter import Interpreter

            interpreter = Interpreter(model_content=path.read_bytes(), num_threads=threads)
            interpreter.allocate_tensors()
    except Exception as error:  # ValueError or RuntimeError
        raise RunError(f"LiteRT cannot open the file: {first_line(error)}", where=str(path)) from error
    if len(interpreter.get_input_details()) != 1:
        raise NotApplicable("the model has several inputs", where=str(path), remedy="Only models of one image run.")
    return interpreter


def _quantized(batch: Array, told: dict[str, Any]) -> NDArray[Any]:
    kind, (scale, zero) = np.dtype(told["dtype"]), told["quantization"]
    if kind.kind == "f" or not scale:
        return batch.astype(kind, copy=False)
    limits = np.iinfo(kind)
    whole: NDArray[Any] = np.clip(np.rint(batch / scale) + zero, limits.min, limits.max).astype(kind)
    return whole


def _floats(value: NDArray[Any], told: dict[str, Any]) -> NDArray[Any]:
    scale, zero = told["quantization"]
    if value.dtype.kind == "f":
        return value.astype(np.float32)
    return ((value.astype(np.float32) - zero) * scale).astype(np.float32) if scale else value.copy()


def _in_environment(python: Path, source: Path, target: Path) -> str:
    """Run the worker with nothing of ours on its path but this package; return why it refused, '' if it did not."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "advisor").symlink_to(Path(__file__).resolve().parents[1], target_is_directory=True)
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"}
        environment |= {"PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        command = [str(python), "-m", "advisor.runtimes.tflite_worker", str(source), str(target)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_SECONDS, check=False,
                env=environment,
            )  # fmt: skip
            said = json.loads(done.stdout.strip().splitlines()[-1])
        except (OSError, subprocess.SubprocessError) as error:
            return first_line(error)
        except (ValueError, IndexError):
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            return lines[-1][:300] if lines else f"the converter ended with {done.returncode}"
    return str(said.get("refused", ""))
