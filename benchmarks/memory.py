"""Measure the peak memory of processes that run timm networks in onnxruntime, one fresh process per reading.

    python benchmarks/memory.py [NETWORK ...]

Appends to knowledge/prediction/measured_memory.csv what is not there yet; the file is whole after every network.
Random weights: they change neither sizes nor memory. `benchmarks/fit_memory.py` fits the predictor to the table.
"""

import argparse
import csv
import logging
import tempfile
from pathlib import Path

import numpy as np
import onnx
import timm
from onnxruntime import __version__ as version
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static

from advisor.measurement.memory import peak_memory
from advisor.resources import data_dir
from advisor.runtimes.onnx_export import export_onnx
from advisor.techniques.static_int8.apply import prepare
from advisor.techniques.static_int8.scope import float_nodes
from advisor.writing import write_text

TABLE = data_dir("knowledge") / "prediction" / "measured_memory.csv"
COLUMNS = ("runtime", "version", "variant", "model", "input", "threads", "runtime_mb", "model_mb", "source")
NETWORKS = (
    "resnet18", "mobilenetv2_100", "efficientnet_b0", "vit_tiny_patch16_224", "convnext_atto", "regnetx_002",
    "mobilenetv3_small_100", "densenet121", "resnet50", "deit_small_patch16_224", "swin_tiny_patch4_window7_224",
    "ghostnet_100", "mobilenetv4_conv_small", "mobilevit_xs", "repvgg_a0", "mnasnet_100", "dla34",
    "tf_efficientnetv2_b0", "hardcorenas_a", "resnext50_32x4d", "levit_128s", "mixer_s32_224",
    "convnext_tiny", "regnety_008", "efficientformer_l1", "seresnet50", "edgenext_x_small",
)  # fmt: skip
SIDES = {"levit_128s": 224, "mobilevit_xs": 256}
SOURCE = "memory-benchmark"


class OneImage(CalibrationDataReader):
    """One random image: what it shows changes neither sizes nor memory."""

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        name = onnx.load(path).graph.input[0].name
        self.images = iter([{name: np.random.default_rng(0).standard_normal(shape).astype(np.float32)}])

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the next image."""
        return next(self.images, None)


def measured() -> list[dict[str, str]]:
    """Return the rows of the table."""
    with TABLE.open(newline="") as file:
        return list(csv.DictReader(file))


def add(rows: list[dict[str, str]]) -> None:
    """Write the table with further rows."""
    lines = [",".join(COLUMNS), *(",".join(row[name] for name in COLUMNS) for row in (*measured(), *rows))]
    write_text(TABLE, "\n".join(lines) + "\n")


def variants(name: str, side: int, folder: Path) -> dict[str, Path]:
    """Write the float, statically and dynamically quantized files of a network."""
    shape = (1, 3, side, side)
    path = {kind: folder / f"{kind}.onnx" for kind in ("fp32", "int8", "dynamic")}
    export_onnx(timm.create_model(name).eval(), shape, path["fp32"])
    prepared = prepare(path["fp32"], folder)
    quantize_static(
        prepared, path["int8"], OneImage(prepared, shape), quant_format=QuantFormat.QDQ, per_channel=True,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        nodes_to_exclude=sorted(float_nodes(prepared, ())),
    )  # fmt: skip
    quantize_dynamic(prepared, path["dynamic"], op_types_to_quantize=["MatMul", "Gemm"], per_channel=True)
    return path


def measure(name: str) -> list[dict[str, str]]:
    """Return the readings of one network."""
    side = SIDES.get(name, 224)
    with tempfile.TemporaryDirectory() as folder:
        return [
            dict(zip(COLUMNS, ("onnxruntime", version, kind, name, f"1x3x{side}x{side}", "1", f"{used.runtime_mb:.1f}",
                               f"{used.model_mb:.1f}", SOURCE), strict=True))
            for kind, path in variants(name, side, Path(folder)).items()
            for used in (peak_memory(path, "onnxruntime", 1),)
        ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    done = {row["model"] for row in measured() if row["source"] == SOURCE}
    for name in parser.parse_args().networks:
        if name in done:
            continue
        add(measure(name))
        print(name, flush=True)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    main()
