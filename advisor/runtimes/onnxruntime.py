"""ONNX Runtime on the CPU: loading, running, and reading which operations of the optimised graph are integer."""

import mmap
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
from advisor.writing import write_bytes

from .onnx_export import export_onnx
from .runtime import Array, Placement, whole_or_float32

_HEAVY_INT8 = frozenset(
    {"QLinearConv", "QLinearMatMul", "QGemm", "ConvInteger", "MatMulInteger", "MatMulIntegerToFloat", "QAttention"}
    | {"DynamicQuantizeMatMul", "NhwcConvTransposeInteger"}
)
_HEAVY_FLOAT = frozenset({"Conv", "FusedConv", "NhwcFusedConv", "ConvTranspose", "Gemm", "FusedGemm"})
_HEAVY_PRODUCT = frozenset({"MatMul", "FusedMatMul", "Attention", "MultiHeadAttention"})
_BOUNDARIES = frozenset({"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "Cast"})
FOLD_WEIGHTS = "session.disable_quant_qdq"  # without fusions for quantized graphs, constants are folded
_NUMPY = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}


class OnnxSession:
    """An open ONNX file with a static input shape."""

    def __init__(self, path: Path, threads: int) -> None:
        import onnxruntime as ort

        options = session_options(path)
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises a private class per kind of failure
            raise RunError(f"onnxruntime cannot open the file: {first_line(error)}", where=str(path)) from error
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise NotApplicable(
                f"the model has {len(inputs)} inputs", where=str(path), remedy="Only models of one image run."
            )
        self._input = inputs[0].name
        self._type = _NUMPY.get(inputs[0].type, np.float32)
        self.input_shape = tuple(d if isinstance(d, int) and d > 0 else 1 for d in inputs[0].shape)

    def __call__(self, batch: Array) -> Array:
        """Run one batch and return the first output as float32."""
        output = self._session.run(None, {self._input: batch.astype(self._type, copy=False)})[0]
        return np.asarray(output, dtype=np.float32)

    def outputs(self, batch: Array) -> tuple[NDArray[Any], ...]:
        """Run one batch and return all outputs."""
        found = self._session.run(None, {self._input: batch.astype(self._type, copy=False)})
        return whole_or_float32(map(np.asarray, found))


class OnnxRuntime:
    """The runtime `onnxruntime` on the unit cpu."""

    name = "onnxruntime"
    suffix = ".onnx"
    extra = ""
    module = "onnxruntime"
    concurrent = True
    arithmetic: Mapping[str, str] = MappingProxyType(
        {
            "fp32": "f32",
            "fp16": "f32: the CPU has few half kernels, casts are inserted",
            "bf16": "f32: weights are stored in 16 bits",
            "int8": "u8s8 or s8s8, as the file says; operations between them are float where no integer kernel is",
            "int8-dynamic": "u8s8 in products, f32 elsewhere",
            "w8": "f32: weights become floats when the file is opened",
            "w4": "f32: weights become floats when the file is opened",
        }
    )

    def available(self) -> bool:
        """Whether onnxruntime is installed."""
        from . import present

        return present("onnxruntime")

    def version(self) -> str:
        """Version of onnxruntime."""
        return version("onnxruntime")

    def export(self, module: Any, input_shape: tuple[int, ...], target: Path, *, opset: int | None = None) -> Path:
        """Write a torch module as one ONNX file with static shapes and folded batch norms."""
        return export_onnx(module, input_shape, target, opset=opset)

    def convert(self, onnx: Path, target: Path) -> Path:
        """Copy the file, which is what this runtime opens; one that it cannot open is refused."""
        try:
            self.load(onnx)
        except RunError as error:
            raise NotApplicable(
                error.what, where=str(onnx), remedy="Give an ONNX file that onnxruntime opens."
            ) from error
        write_bytes(target, onnx.read_bytes())
        return target

    def files(self, path: Path) -> tuple[Path, ...]:
        """Return the file."""
        return (path,)

    def load(self, path: Path, threads: int = 1) -> OnnxSession:
        """Open an ONNX file."""
        return OnnxSession(path, threads)

    def placement(self, path: Path) -> Placement:
        """Count the operations of the graph as onnxruntime executes it."""
        counts = executed_ops(path)
        integer = sum(n for op, n in counts.items() if op in _HEAVY_INT8)
        floating = sum(n for op, n in counts.items() if op in _HEAVY_FLOAT | _HEAVY_PRODUCT)
        return Placement(
            counts=dict(sorted(counts.items())),
            heavy_int8=integer,
            heavy_float=floating,
            boundaries=sum(n for op, n in counts.items() if op in _BOUNDARIES),
            arithmetic={kind: n for kind, n in (("int8", integer), ("float", floating)) if n},
        )


def session_options(path: Path) -> Any:
    """Return options for a file; integer weights alone are turned into floats once, when the file is opened.

    Otherwise onnxruntime does it at every inference, for fusions that such files have none of: MobileNetV2 then takes
    twice as long, with 4 bits three times (`python -m benchmarks.weight_only`).
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    if only_weights_are_integers(path):
        options.add_session_config_entry(FOLD_WEIGHTS, "1")
    return options


def only_weights_are_integers(path: Path) -> bool:
    """Whether a file takes integers apart and never makes any: it was quantized in its weights alone."""
    if not path.is_file() or not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(b"DequantizeLinear") >= 0 and content.find(b"QuantizeLinear") < 0


def executed_ops(path: Path) -> Counter[str]:
    """Return how often each operation type occurs in the optimised graph."""
    import onnx
    import onnxruntime as ort

    with tempfile.TemporaryDirectory() as folder:
        optimised = Path(folder) / "optimised.onnx"
        options = session_options(path)
        options.log_severity_level = 4  # saving a layout-optimised graph warns that it fits this machine only
        options.intra_op_num_threads = 1
        options.optimized_model_filepath = str(optimised)
        ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        return Counter(node.op_type for node in onnx.load(optimised).graph.node)
