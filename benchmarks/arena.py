"""Hold the planned RAM and the flash of microcontrollers against published figures; writes docs/microcontrollers.md.

    python benchmarks/arena.py EVIDENCE_FOLDER

Reads latency.csv.gz (peak_memory_mb and flash_mb of the STM32 model zoo, which are KiB / 1024) and the recorded
allocations in knowledge/prediction/published_arena.csv. Networks are rebuilt with random weights; those whose shape is
not published are left out. Prints the factors and intervals for knowledge/prediction/firmware.yaml: each network is
judged by figures that were fitted without it.
"""

import argparse
import csv
import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import timm
import torchvision
from tiny_networks import ds_cnn, mobilenet_v1, mobilenet_v2, resnet_cifar
from torch import nn

from advisor.devices import load_device
from advisor.prediction.firmware import ArenaMemory, FirmwareFlash, firmware_arena
from advisor.prediction.query import Query
from advisor.profiling import profile_module
from advisor.resources import data_dir
from advisor.schema import Plan
from advisor.techniques.static_int8.preview import preview
from advisor.techniques.static_int8.step import StaticInt8
from advisor.writing import write_text

MIB = 1024**2
FLOWERS, CIFAR10, CIFAR100 = 5, 10, 100
BUILDERS: dict[str, Callable[[], nn.Module]] = {
    "MobileNet v1 0.25 fft": lambda: mobilenet_v1(0.25, FLOWERS),
    "MobileNet v1 0.5 fft": lambda: mobilenet_v1(0.5, FLOWERS),
    "MobileNet v1 0.25 tfs": lambda: mobilenet_v1(0.25, FLOWERS, 1),
    "SqueezeNet v1.1 tfs": lambda: torchvision.models.squeezenet1_1(num_classes=FLOWERS),
    "ResNet v1 8 tfs": lambda: resnet_cifar(1, CIFAR10),
    "ResNet v1 32 tfs": lambda: resnet_cifar(5, CIFAR100),
    "mobilenet_a025_pt_224": lambda: mobilenet_v1(0.25, 1000),
    "mobilenet_a050_pt_224": lambda: mobilenet_v1(0.5, 1000),
    "mobilenet_a075_pt_224": lambda: mobilenet_v1(0.75, 1000),
    "mobilenetv2_a025_pt_224": lambda: mobilenet_v2(0.25),
}


@dataclass(frozen=True)
class Row:
    """A published figure and what is predicted for it; bytes."""

    model: str
    input: str
    path: str
    version: str
    ram: float
    flash: float
    planned: int
    bound: int
    ram_predicted: float
    ram_interval: tuple[float, float]
    flash_predicted: float
    flash_interval: tuple[float, float]
    runtime_ram: float
    weights: float


def network(name: str, arch: str) -> nn.Module | None:
    """Build the network of a row, or None where its shape is not published."""
    if name in BUILDERS:
        return BUILDERS[name]()
    if arch.startswith("timm:"):
        return timm.create_model(arch.removeprefix("timm:"))
    if arch.startswith("torchvision:"):
        return torchvision.models.get_model(arch.removeprefix("torchvision:"))
    return None


def query_of(module: nn.Module, shape: str, device: str, runtime: str, unit: str) -> Query:
    """Return the question: the network in int8 on this path."""
    sizes = tuple(int(side) for side in shape.split("x"))
    original = profile_module(module.eval(), sizes, name="net")
    step = StaticInt8(signedness="s8s8")
    plan = Plan(steps=(step,), runtime=runtime, unit=unit)
    return Query(plan, original, preview(step, original), load_device(device))


def stm32_rows(evidence: Path) -> list[Row]:
    """Return the int8 rows of the STM32 model zoo whose networks can be rebuilt."""
    found: list[Row] = []
    with gzip.open(evidence / "latency.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for r in csv.DictReader(file):
            if not r["source"].startswith("stm32") or not r["peak_memory_mb"] or r["precision"] != "int8":
                continue
            module = network(r["model"], r["arch"])
            if module is None:
                continue
            device, unit = ("stm32h747", "mcu") if r["device"].startswith("stm32h747") else ("stm32n6", "npu")
            query = query_of(module, r["input"], device, "stm32cubeai", unit)
            found.append(row(query, r["model"], r["input"], r["runtime_version"] or "not stated",
                             float(r["peak_memory_mb"]) * MIB, float(r["flash_mb"]) * MIB))  # fmt: skip
    return found


def row(query: Query, model: str, shape: str, version: str, ram: float, flash: float) -> Row:
    """Ask both predictors."""
    arena, memory, stored = firmware_arena(query), ArenaMemory().estimate(query), FirmwareFlash().estimate(query)
    return Row(
        model, shape, query.plan.path, version, ram, flash, arena.height, arena.lower_bound, memory.mid * 1e6,
        (memory.low * 1e6, memory.high * 1e6), stored.mid * 1e6, (stored.low * 1e6, stored.high * 1e6),
        memory.parts["runtime"] * 1e6, (stored.parts["weights"] + stored.parts["graph"]) * 1e6,
    )  # fmt: skip


def left_out(measured: list[float], base: list[float], names: list[str], kept: float) -> list[float]:
    """Ratios of the published figure to one predicted with the median factor of all other networks."""
    values, grown = np.array(measured), np.array(base)
    ratio = (values - kept) / grown
    found = []
    for i, name in enumerate(names):
        others = [ratio[j] for j, other in enumerate(names) if other != name]
        found.append(float(values[i] / (grown[i] * np.median(others) + kept)))
    return found


def summary(rows: list[Row], path: str) -> list[str]:
    """Say what a path's factor and interval are, and how well they hold."""
    mine = [r for r in rows if r.path == path]
    names = [r.model for r in mine]
    kept = mine[0].runtime_ram
    ram = left_out([r.ram for r in mine], [r.planned for r in mine], names, kept)
    factor = float(np.median([(r.ram - r.runtime_ram) / r.planned for r in mine]))
    low, high = np.quantile(ram, [0.1, 0.9])
    inside = np.mean([r.ram_interval[0] <= r.ram <= r.ram_interval[1] for r in mine])
    code = [(r.flash - r.weights) / 1e3 for r in mine]
    flash_error = [abs(r.flash_predicted / r.flash - 1) for r in mine]
    flash_inside = np.mean([r.flash_interval[0] <= r.flash <= r.flash_interval[1] for r in mine])
    ram_error = [abs(r.ram_predicted / r.ram - 1) for r in mine]
    return [
        f"- **{path}**, {len(mine)} rows, {len(set(names))} networks. RAM: median factor on the planned arena "
        f"{factor:.2f}; left-out ratios {min(ram):.2f} to {max(ram):.2f}, 80 % of them in {low:.2f} to {high:.2f}; "
        f"median error of the prediction {np.median(ram_error):.0%}, mean {np.mean(ram_error):.0%}; inside the stated "
        f"interval {inside:.0%}.",
        f"  Flash: median error {np.median(flash_error):.1%}, mean {np.mean(flash_error):.1%}; published flash less "
        f"weights {min(code):.0f} to {max(code):.0f} kB, median {np.median(code):.0f} kB; inside the stated interval "
        f"{flash_inside:.0%}.",
    ]


def micro_rows() -> list[tuple[dict[str, str], Query]]:
    """Return the published figures of TensorFlow Lite for Microcontrollers with their questions."""
    builders = {"ds_cnn": ds_cnn, "mobilenet_v1_0.25_96": lambda: mobilenet_v1(0.25, 2),
                "resnet8": lambda: resnet_cifar(1, CIFAR10)}  # fmt: skip
    with (data_dir("knowledge") / "prediction" / "published_arena.csv").open(newline="") as file:
        return [
            (record, query_of(builders[record["model"]](), record["input"], record["device"], "tflite-micro", "mcu"))
            for record in csv.DictReader(file)
        ]


def files(rows: list[tuple[dict[str, str], Query]]) -> str:
    """Compare the sizes of files: weights and graph."""
    told = []
    for record, query in rows:
        parts = FirmwareFlash().estimate(query).parts
        told.append(f"{record['model']} {record['file_kb']} and {(parts['weights'] + parts['graph']) * 1e3:.0f} kB")
    return "; ".join(told)


def page(rows: list[Row]) -> str:
    """Lay out the page."""
    micro = micro_rows()
    record, query = micro[0]
    arena, memory = firmware_arena(query), ArenaMemory().estimate(query)
    lines = [
        "# RAM and flash of microcontrollers: predicted against published",
        "",
        "Written by `python benchmarks/arena.py EVIDENCE`. int8, batch 1. RAM is the arena (activations and working "
        "memory, planned greedily by size with 16-byte alignment) and what the runtime keeps beside it. Flash is "
        "weights, graph and the runtime's code. KiB = 1024 bytes.",
        "",
        "## TensorFlow Lite for Microcontrollers",
        "",
        f"Recorded allocations of the MLPerf Tiny keyword network on a Cortex-M7 ({record['source']}): head "
        f"{record['head_bytes']} bytes, tail {record['tail_bytes']}. Predicted: planned {arena.height} (no planner "
        f"needs less than {arena.lower_bound}), bookkeeping {memory.parts['runtime'] * 1e6:.0f}. The "
        "bookkeeping's figures come from this record, so only the planned part is a test. One network: the interval is "
        "a judgement.",
        "",
        f"File, published and predicted (the graph's bytes are fitted to these three): {files(micro)}. The runtime's "
        "code is assumed; it depends on the kernels that are linked in.",
        "",
        "## STM32Cube.AI and ST Edge AI",
        "",
        *(line for path in dict.fromkeys(r.path for r in rows) for line in summary(rows, path)),
        "",
        "The Cortex-M runtime can do with less than the sum of a layer's input and output: some layers overwrite their "
        "input line by line, which no planner of whole tensors does. The accelerator needs more: it works in fixed "
        "pools and keeps copies in its own layout.",
        "",
        "| network | input | path | version | published RAM | planned | bound | predicted | ratio | published flash "
        "| predicted | ratio |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
        *(
            f"| {r.model} | {r.input} | {r.path} | {r.version} | {r.ram / 1024:.0f} | {r.planned / 1024:.0f} "
            f"| {r.bound / 1024:.0f} | {r.ram_predicted / 1024:.0f} | {r.ram / r.ram_predicted:.2f} "
            f"| {r.flash / 1024:.0f} | {r.flash_predicted / 1024:.0f} | {r.flash / r.flash_predicted:.2f} |"
            for r in rows
        ),
        "",
        "Ratio: published over predicted. Networks of the zoo whose shapes are not published (YOLO, SSD, ST's own) are "
        "left out.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evidence", type=Path)
    rows = stm32_rows(parser.parse_args().evidence)
    write_text(Path(__file__).parents[1] / "docs" / "microcontrollers.md", page(rows))
    print("\n".join(line for path in dict.fromkeys(r.path for r in rows) for line in summary(rows, path)))


if __name__ == "__main__":
    main()
