"""Which kernels ONNX Runtime really runs: a profile of one batch, counted by operation type.

`onnxruntime.executed_ops` counts the optimised graph; this counts what was executed, branches and all.
"""

import json
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from .onnxruntime import session_options
from .runtime import Array

INTEGER = frozenset(
    {"QLinearConv", "QLinearMatMul", "QGemm", "ConvInteger", "MatMulInteger", "MatMulIntegerToFloat", "QAttention"}
    | {"DynamicQuantizeMatMul", "NhwcConvTransposeInteger"}
)


def executed_kernels(path: Path, batch: Array | None = None) -> Counter[str]:
    """Run one batch (zeros if none is given) and return how often each type of operation was executed."""
    import onnxruntime as ort

    options = session_options(path)
    options.log_severity_level = 4
    options.enable_profiling = True
    with tempfile.TemporaryDirectory() as folder:
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        session.run(None, _feeds(session, batch))
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    nodes = [event for event in events if event.get("cat") == "Node" and event["name"].endswith("_kernel_time")]
    return Counter(str(event["args"]["op_name"]) for event in nodes)


def integer_kernels(path: Path, batch: Array | None = None) -> int:
    """Return how many convolutions and matrix products one batch runs in integers."""
    counts = executed_kernels(path, batch)
    return sum(count for name, count in counts.items() if name in INTEGER)


def _feeds(session: object, batch: Array | None) -> dict[str, Array]:
    inputs = session.get_inputs()  # type: ignore[attr-defined]
    types = {"tensor(float16)": np.float16, "tensor(double)": np.float64, "tensor(int64)": np.int64}
    feeds = {}
    for index, one in enumerate(inputs):
        shape = [size if isinstance(size, int) and size > 0 else 1 for size in one.shape]
        values = batch if batch is not None and index == 0 else np.zeros(shape)
        feeds[one.name] = np.asarray(values, types.get(one.type, np.float32))
    return feeds
