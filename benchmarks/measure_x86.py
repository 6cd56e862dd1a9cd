"""Measure small networks in ONNX Runtime on one core here; add them to knowledge/prediction/measured_x86.csv.

    python benchmarks/measure_x86.py --write

Small networks show what large ones hide: the fixed cost of every operation. Each variant is interleaved with fp32 in
one process, CPU time, one thread; weights are random. Without --write the figures are only printed.
"""

import argparse
import csv
import tempfile
from pathlib import Path

import numpy as np
import timm
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from advisor import runtimes
from advisor.calibration.probes import distinct
from advisor.measurement.latency import compare
from advisor.resources import data_dir
from advisor.runtimes.onnx_export import export_onnx
from advisor.techniques.static_int8.graph import Graph
from advisor.techniques.static_int8.prepare import fold
from advisor.techniques.static_int8.scope import float_nodes
from advisor.techniques.static_int8.step import StaticInt8

TABLE = data_dir("knowledge") / "prediction" / "measured_x86.csv"
NETWORKS = (
    ("test_resnet", 160), ("test_resnet", 96), ("test_resnet", 48), ("test_byobnet", 160), ("test_byobnet", 64),
    ("mobilenetv2_050", 64), ("mobilenetv2_100", 96), ("lcnet_050", 64), ("regnetx_002", 64), ("test_efficientnet", 96),
    ("efficientnet_b0", 64), ("efficientnet_b0", 128), ("mobilenetv3_large_100", 128),
)  # fmt: skip
SOURCE = "OWN-small"


class TwoImages(CalibrationDataReader):
    """Two random images."""

    def __init__(self, name: str, shape: tuple[int, ...]) -> None:
        rng = np.random.default_rng(0)
        self.images = iter([{name: rng.standard_normal(shape).astype(np.float32)} for _ in range(2)])

    def get_next(self) -> dict | None:
        """Return the next image."""
        return next(self.images, None)


def measure(name: str, side: int, folder: Path) -> tuple[float, float]:
    """Return milliseconds of fp32 and the ratio of u8s8 static int8 to it."""
    shape = (1, 3, side, side)
    module = distinct(timm.create_model(name).eval())
    plain = export_onnx(module, shape, folder / "float.onnx")
    prepared, packed = fold(plain, folder), folder / "int8.onnx"
    reader = TwoImages("input", shape)
    quantize_static(str(prepared), str(packed), reader, quant_format=QuantFormat.QDQ, per_channel=True,
                    activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                    nodes_to_exclude=sorted(float_nodes(Graph.read(prepared), StaticInt8())))  # fmt: skip
    runtime = runtimes.get("onnxruntime")
    found = compare(runtime.load(plain, 1), runtime.load(packed, 1), 1, seed=0)
    return found.baseline.median, found.ratio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="replace the rows of this source in the table")
    arguments = parser.parse_args()
    with TABLE.open() as file:
        rows = [row for row in csv.DictReader(file) if row["source"] != SOURCE]
    for name, side in NETWORKS:
        with tempfile.TemporaryDirectory() as folder:
            runs = [measure(name, side, Path(folder)) for _ in range(3)]
        fp32, ratio = (float(np.median([run[i] for run in runs])) for i in (0, 1))
        print(f"{name:20s} {side:4d}  fp32 {fp32:7.3f} ms  u8s8 {ratio:5.3f} of it", flush=True)
        common = {"model": name, "input": f"1x3x{side}x{side}", "fp32_ms": f"{fp32:.4g}", "source": SOURCE}
        rows.append(common | {"variant": "onnxruntime fp32", "ratio": "1.0"})
        rows.append(common | {"variant": "onnxruntime u8s8", "ratio": f"{ratio:.3f}"})
    if arguments.write:
        with TABLE.open("w", newline="") as file:
            table = csv.DictWriter(
                file, ("model", "input", "variant", "fp32_ms", "ratio", "source"), lineterminator="\n"
            )
            table.writeheader()
            table.writerows(rows)


if __name__ == "__main__":
    main()
