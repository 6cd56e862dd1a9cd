"""A benchmark of about two seconds of what this machine's CPU reaches; never run unless asked for."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from advisor.schema import Device, Figure, Source

_SOURCE = "measured-here"
_ROUNDS = 5
_SIDE = 1024  # of the square matrices: large enough for all cores, 4 MB each


@dataclass(frozen=True)
class MeasuredPeaks:
    """Best of a few rounds: matrix products in GMAC/s (all cores), a copy's read plus write rate in GB/s (one core)."""

    fp32_gmacs: float
    int8_gmacs: float | None  # None where ONNX Runtime is missing or refuses the product
    copy_gbs: float


def measure_peaks() -> MeasuredPeaks:
    """Time a float product and a copy with numpy and an integer product with ONNX Runtime."""
    import numpy as np

    rng = np.random.default_rng(0)
    a = rng.standard_normal((_SIDE, _SIDE), dtype=np.float32)
    out = np.empty_like(a)
    fp32_s = _best(lambda: np.matmul(a, a, out=out))
    big = np.zeros(32 * 1024 * 1024, dtype=np.uint8)
    target = np.empty_like(big)
    copy_s = _best(lambda: np.copyto(target, big))
    int8_s = _int8_seconds()
    return MeasuredPeaks(
        fp32_gmacs=_SIDE**3 / fp32_s / 1e9,
        int8_gmacs=None if int8_s is None else _SIDE**3 / int8_s / 1e9,
        copy_gbs=2 * big.nbytes / copy_s / 1e9,
    )


def with_measured_peaks(device: Device) -> Device:
    """Replace the derived peaks of a host profile by measured ones."""
    peaks = measure_peaks()
    figures: dict[str, Figure] = {"fp32": _figure(peaks.fp32_gmacs)}
    if peaks.int8_gmacs is not None:
        figures["int8"] = _figure(peaks.int8_gmacs)
    paths = []
    for path in device.paths:
        measured = {p: figures[p] for p in path.precisions if p in figures}
        paths.append(path.model_copy(update={"peak_gmacs": {**path.peak_gmacs, **measured}}))
    source = Source(what="matrix products and a copy timed on this machine", where="advisor.devices.measure")
    memory = device.memory.model_copy(update={"sustained_gbs": _figure(peaks.copy_gbs)})
    update = {"paths": tuple(paths), "memory": memory, "sources": {**device.sources, _SOURCE: source}}
    return Device.model_validate({**{name: getattr(device, name) for name in Device.model_fields}, **update})


def _figure(value: float) -> Figure:
    return Figure(value=round(value, 2), basis="measured", source=_SOURCE)


def _best(run: Callable[[], Any]) -> float:
    run()
    best = float("inf")
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best


def _int8_seconds() -> float | None:
    try:
        import numpy as np
        import onnxruntime
        from onnx import TensorProto, helper
    except ImportError:
        return None
    shape = [_SIDE, _SIDE]
    node = helper.make_node("MatMulInteger", ["a", "b"], ["y"])
    inputs = [helper.make_tensor_value_info("a", TensorProto.UINT8, shape)]
    weight = helper.make_tensor("b", TensorProto.INT8, shape, np.ones(shape, np.int8).tobytes(), raw=True)
    graph = helper.make_graph(
        [node], "int8", inputs, [helper.make_tensor_value_info("y", TensorProto.INT32, shape)], initializer=[weight]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    a = np.ones(shape, np.uint8)
    return _best(lambda: session.run(None, {"a": a}))
