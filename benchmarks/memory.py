"""Measure the peak memory of processes that run timm networks in each runtime, one fresh process per reading.

    python benchmarks/memory.py [NETWORK ...] [--runtimes onnxruntime ncnn aotinductor ...]

Appends to knowledge/prediction/measured_memory.csv what is not there yet; the file is whole after every network.
Random weights: they change neither sizes nor memory. `benchmarks/fit_memory.py` fits the predictor to the table.
Runtimes that are not installed are left out; all but onnxruntime are measured on FEWER networks.
"""

import argparse
import csv
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import timm
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static

from advisor import runtimes
from advisor.errors import AdvisorError
from advisor.measurement.memory import peak_memory
from advisor.resources import data_dir
from advisor.runtimes.onnx_export import export_onnx
from advisor.runtimes.runtime import Runtime
from advisor.techniques.static_int8.prepare import fold
from advisor.techniques.static_int8.scope import float_nodes
from advisor.techniques.static_int8.step import StaticInt8
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
FEWER = (
    "resnet18", "mobilenetv2_100", "efficientnet_b0", "vit_tiny_patch16_224", "convnext_atto", "regnetx_002",
    "mobilenetv3_small_100", "densenet121", "resnet50", "deit_small_patch16_224", "repvgg_a0", "mnasnet_100",
)  # fmt: skip
RUNTIMES = ("onnxruntime", "ncnn", "executorch", "aotinductor")
SIGNED = ("ncnn", "executorch")  # multiply signed activations
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
    """Write the float, statically and dynamically quantized files of a network; `s8s8` is what ncnn multiplies."""
    shape = (1, 3, side, side)
    path = {kind: folder / f"{kind}.onnx" for kind in ("fp32", "int8", "s8s8", "dynamic")}
    export_onnx(timm.create_model(name).eval(), shape, path["fp32"])
    graph, prepared = fold(path["fp32"], folder), folder / "prepared.onnx"
    graph.save(prepared)
    floats = sorted(float_nodes(graph, StaticInt8()))
    for kind, activations in (("int8", QuantType.QUInt8), ("s8s8", QuantType.QInt8)):
        quantize_static(
            prepared, path[kind], OneImage(prepared, shape), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=activations, weight_type=QuantType.QInt8,
            nodes_to_exclude=floats, extra_options={"ActivationSymmetric": kind == "s8s8"},
        )  # fmt: skip
    quantize_dynamic(prepared, path["dynamic"], op_types_to_quantize=["MatMul", "Gemm"], per_channel=True)
    return path


def files(runtime: Runtime, made: dict[str, Path], folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the artefacts of a runtime by variant; what it cannot convert is said and left out."""
    if runtime.name == "onnxruntime":
        yield from ((kind, made[kind]) for kind in ("fp32", "int8", "dynamic"))
        return
    signs = "s8s8" if runtime.name in SIGNED else "int8"
    for kind, source in (("fp32", made["fp32"]), ("int8", made[signs])):
        if kind in runtime.arithmetic:
            try:
                yield kind, runtime.convert(source, folder / f"{runtime.name}-{kind}{runtime.suffix}")
            except AdvisorError as error:
                print(f"{runtime.name} {kind}: {error.what}", flush=True)


def measure(name: str, wanted: list[str]) -> list[dict[str, str]]:
    """Return the readings of one network in runtimes; a file that a runtime does not open is said and left out."""
    side, rows = SIDES.get(name, 224), []
    with tempfile.TemporaryDirectory() as folder:
        made = variants(name, side, Path(folder))
        for runtime in map(runtimes.get, wanted):
            about = (runtime.name, runtime.version())
            for kind, path in files(runtime, made, Path(folder)):
                try:
                    used = peak_memory(path, runtime.name, 1)
                except AdvisorError as error:
                    print(f"{runtime.name} {kind} of {name}: {error.what}", flush=True)
                    continue
                taken = (f"{used.runtime_mb:.1f}", f"{used.model_mb:.1f}")
                row = (*about, kind, name, f"1x3x{side}x{side}", "1", *taken, SOURCE)
                rows.append(dict(zip(COLUMNS, row, strict=True)))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    parser.add_argument("--runtimes", nargs="+", default=RUNTIMES)
    asked = parser.parse_args()
    usable = [name for name in asked.runtimes if runtimes.get(name).available()]
    done = {(row["model"], row["runtime"]) for row in measured() if row["source"] == SOURCE}
    for name in asked.networks:
        known = [one for one in usable if one == "onnxruntime" or name in FEWER]
        if wanted := [one for one in known if (name, one) not in done]:
            add(measure(name, wanted))
            print(name, *wanted, flush=True)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    main()
