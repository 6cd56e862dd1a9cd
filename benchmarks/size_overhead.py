"""Measure what ONNX files hold besides their weights, and fit the figures of knowledge/prediction/size.yaml.

    python benchmarks/size_overhead.py

Exports timm networks, quantizes them with onnxruntime in the way that advisor's own techniques do (static QDQ on two
random images, per channel; sizes do not depend on the images), and compares file sizes with the bytes counted.
"""

import logging
import tempfile
from pathlib import Path

import numpy as np
import timm
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from scipy.optimize import nnls

from advisor.prediction.fusion import fold
from advisor.prediction.size import counts
from advisor.prediction.storage import stored_bytes
from advisor.profiling import profile_module
from advisor.runtimes.onnx_export import export_onnx
from advisor.schema import Workload
from advisor.techniques.dynamic_int8.preview import preview as preview_dynamic
from advisor.techniques.dynamic_int8.step import DynamicInt8
from advisor.techniques.static_int8.apply import prepare
from advisor.techniques.static_int8.preview import preview as preview_static
from advisor.techniques.static_int8.scope import float_nodes
from advisor.techniques.static_int8.step import StaticInt8

NETWORKS = (
    "resnet18", "mobilenetv2_100", "efficientnet_b0", "vit_tiny_patch16_224", "convnext_atto", "regnetx_002",
    "mobilenetv3_small_100", "densenet121",
)  # fmt: skip
KEYS = {
    "fp32": ("ops", "weights"),
    "int8": ("ops", "quantized_tensors", "quantized_channels"),
    "dynamic": ("ops", "weights"),
}
SHAPE = (1, 3, 224, 224)


class TwoImages(CalibrationDataReader):
    """Two random images."""

    def __init__(self, name: str, shape: tuple[int, ...] = SHAPE) -> None:
        rng = np.random.default_rng(0)
        self.images = iter([{name: rng.standard_normal(shape).astype(np.float32)} for _ in range(2)])

    def get_next(self) -> dict | None:
        """Return the next image."""
        return next(self.images, None)


def distinct(module: torch.nn.Module) -> torch.nn.Module:
    """Give biases and norms values of their own: exporters merge equal tensors, which trained networks do not have."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            if tensor.ndim == 1 and tensor.is_floating_point():
                tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
    return module


def files(module: torch.nn.Module, folder: Path) -> dict[str, int]:
    """Return bytes of the float, statically and dynamically quantized files."""
    path = {name: folder / f"{name}.onnx" for name in KEYS}
    export_onnx(module, SHAPE, path["fp32"])
    prepared = prepare(path["fp32"], folder)
    quantize_static(
        prepared, path["int8"], TwoImages(_input(prepared)), quant_format=QuantFormat.QDQ, per_channel=True,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        nodes_to_exclude=sorted(float_nodes(prepared, ())),
    )  # fmt: skip
    quantize_dynamic(prepared, path["dynamic"], op_types_to_quantize=["MatMul", "Gemm"], per_channel=True)
    return {name: path[name].stat().st_size for name in KEYS}


def _input(path: Path) -> str:
    import onnx

    return onnx.load(path).graph.input[0].name


def main() -> None:
    table: list[tuple[str, str, Workload, int]] = []
    for name in NETWORKS:
        module = distinct(timm.create_model(name).eval())
        original = profile_module(module, (1, 3, 224, 224), name=name, source=f"timm:{name}")
        after = {
            "fp32": original,
            "int8": preview_static(StaticInt8(signedness="u8s8"), original),
            "dynamic": preview_dynamic(DynamicInt8(), original),
        }
        with tempfile.TemporaryDirectory() as folder:
            for form, size in files(module, Path(folder)).items():
                table.append((name, form, fold(after[form]), size))
    fit(table)


def fit(table: list[tuple[str, str, Workload, int]]) -> None:
    """Print the least squares figures of each form and what they leave, relative to the whole file."""
    for form, keys in KEYS.items():
        mine = [(name, workload, size) for name, kind, workload, size in table if kind == form]
        columns = np.array([[counts(w)[key] for key in keys] for _, w, _ in mine], dtype=float)
        extra = np.array([size - stored_bytes(w.weights) for _, w, size in mine], dtype=float)
        sizes = np.array([size for *_, size in mine], dtype=float)
        figures, _ = nnls(columns / sizes[:, None], extra / sizes)  # errors count relative to the whole file
        error = extra / np.maximum(columns @ figures, 1.0)
        print(
            form,
            f"measured / predicted overhead {error.min():.2f}..{error.max():.2f}",
            {key: round(float(value), 1) for key, value in zip(keys, figures, strict=True)},
        )
        for (name, workload, size), row, more in zip(mine, columns, extra, strict=True):
            weights, predicted = stored_bytes(workload.weights), float(row @ figures)
            print(f"  {name:24s} file {size / 1e6:8.3f} MB  weights {weights / 1e6:8.3f} MB  "
                  f"overhead {more / 1e3:7.1f} kB  predicted {predicted / 1e3:7.1f} kB  "
                  f"error of the file {(weights + predicted) / size - 1:+.2%}")  # fmt: skip


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    main()
