"""Published and own latencies as queries that predictors can answer (the evidence folder is an argument)."""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from advisor.devices import load_device
from advisor.errors import AdvisorError
from advisor.prediction.query import Query
from advisor.resources import data_dir
from advisor.schema import (
    Core,
    Cpu,
    Device,
    ExecPath,
    Figure,
    Memory,
    Op,
    OpKind,
    Plan,
    Restrictions,
    Source,
    Step,
    Tensor,
    Weight,
    Workload,
)
from advisor.techniques.dynamic_int8.preview import preview as preview_dynamic
from advisor.techniques.dynamic_int8.step import DynamicInt8
from advisor.techniques.half.preview import preview as preview_half
from advisor.techniques.half.step import Half
from advisor.techniques.static_int8.preview import preview as preview_static
from advisor.techniques.static_int8.step import StaticInt8

# 1000 / FPS of a pipelined accelerator is shorter than the latency of one image: Hailo prints ResNet-50 at 1329 FPS
# with 2.94 ms (3.9 times), Idein measures YOLOX-S at 250 FPS with 8.6 ms (2.2 times); small networks come close to 1.
PIPELINED = {"hailort": 2.2, "voyager": 2.2}
RUNTIMES = {"stm32cube-ai": "stm32cubeai", "stedgeai": "stm32cubeai", "voyager-sdk": "voyager", "torch": "pytorch"}
_SKIPPED_NOTES = ("do not mix", "DISABLED", "disabled")
_LAYERS = {
    "Convolution": OpKind.CONV, "ConvolutionDepthWise": OpKind.CONV_DEPTHWISE,
    "DeconvolutionDepthWise": OpKind.CONV_DEPTHWISE, "InnerProduct": OpKind.LINEAR, "BinaryOp": OpKind.ELEMENTWISE,
    "Eltwise": OpKind.ELEMENTWISE, "Swish": OpKind.ACTIVATION, "ReLU": OpKind.ACTIVATION,
    "HardSwish": OpKind.ACTIVATION,
    "HardSigmoid": OpKind.ACTIVATION, "Sigmoid": OpKind.ACTIVATION, "Pooling": OpKind.POOL, "Concat": OpKind.CONCAT,
    "ShuffleChannel": OpKind.MOVE, "Permute": OpKind.MOVE, "Crop": OpKind.MOVE, "Slice": OpKind.MOVE,
    "Softmax": OpKind.SOFTMAX, "Reduction": OpKind.REDUCE, "Interp": OpKind.RESIZE, "LRN": OpKind.NORM_LAYER,
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One latency with the question it answers."""

    query: Query
    ms: float
    model: str
    device: str
    source: str
    precision: str
    throughput: bool


def rows(evidence: Path) -> Iterator[Row]:
    """Yield every row that has a shipped profile and a network that can be profiled."""
    aliases = {r["device"]: r for r in csv.DictReader((evidence / "device_alias.csv").open())}
    layers = ncnn_workloads(evidence / "ncnn_workloads.csv")
    with gzip.open(evidence / "latency.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for record in csv.DictReader(file):
            alias = aliases.get(record["device"])
            if (
                alias is None
                or any(mark in alias["note"] for mark in _SKIPPED_NOTES)
                or record["batch"] not in ("", "1")
            ):
                continue
            row = _row(SimpleNamespace(**record), alias["devices_yaml_slug"], layers)
            if row is not None:
                yield row


def _row(r: SimpleNamespace, slug: str, layers: dict[str, Workload]) -> Row | None:
    device = _device(slug)
    old = r.published and r.published < ("2022-10-20" if "x86" in slug else "2021-06")  # before today's int8 kernels
    if device is None or old or (r.unit == "gpu" and r.precision == "int8" and r.runtime == "ncnn"):
        return None
    runtime = RUNTIMES.get(r.runtime, r.runtime)
    if runtime == "tflite" and r.unit == "npu":
        runtime = "edgetpu"
    path = device.path(runtime, r.unit)
    original = layers.get(r.model.removesuffix("_int8")) if r.source == "ncnn-benchmark" else profiled(r.arch, r.input)
    if path is None or original is None or r.precision not in ("fp32", "fp16", "int8"):
        return None
    threads = int(r.threads) if r.threads and r.unit == "cpu" else None
    if threads is not None and device.cpu is not None and threads > sum(c.count for c in device.cpu.cores):
        return None
    form = path.restrictions.signedness[0] if path.restrictions.signedness else "s8s8"
    after, steps = _compressed(original, r.precision, path, form)
    plan = Plan(steps=steps, runtime=runtime, unit=r.unit, threads=threads)
    throughput = r.metric == "throughput"
    factor = PIPELINED.get(runtime, 1.0) if throughput else 1.0
    return Row(Query(plan, original, after, device), float(r.latency_ms) * factor, original.name, slug, r.source,
               r.precision, throughput)  # fmt: skip


def _compressed(original: Workload, precision: str, path: ExecPath, form: str) -> tuple[Workload, tuple[Step, ...]]:
    if precision == "int8":
        step = StaticInt8(signedness=form)
        return preview_static(step, original), (step,)
    if precision == "fp16" and path.default_float != "fp16":
        return preview_half(Half(), original), (Half(),)
    return original, ()


@cache
def _device(slug: str) -> Device | None:
    try:
        return load_device(slug)
    except AdvisorError:
        return None


@cache
def profiled(arch: str, shape: str) -> Workload | None:
    """Profile a timm architecture at an input like 1x3x224x224."""
    if not arch.startswith("timm:") or shape.count("x") != 3:
        return None
    import timm

    from advisor.profiling import profile_module

    name, size = arch.removeprefix("timm:"), tuple(int(side) for side in shape.split("x"))
    try:
        module = timm.create_model(name).eval()
        return profile_module(module, (1, *size[1:]), name=name, source=arch)
    except (RuntimeError, AssertionError, AdvisorError):
        return None  # the architecture does not take this input


def ncnn_workloads(path: Path) -> dict[str, Workload]:
    """Build workloads from the layer table of benchncnn; each layer has tensors of its own."""
    grouped: dict[str, list[dict[str, str]]] = {}
    for line in csv.DictReader(path.open()):
        grouped.setdefault(line["model"], []).append(line)
    return {name: _workload(name, lines) for name, lines in grouped.items()}


def _workload(name: str, lines: list[dict[str, str]]) -> Workload:
    tensors, weights, ops = [], [], []
    for line in lines:
        kind = _LAYERS.get(line["layer"])
        if kind is None:
            continue
        first = len(tensors)
        tensors += [
            Tensor(id=first, shape=(int(line["in_elements"]),)),
            Tensor(id=first + 1, shape=(int(line["out_elements"]),)),
        ]
        channels, out, groups = int(line["in_c"]), int(line["out_c"]), int(line["groups"])
        if kind is OpKind.CONV and line["kernel_h"] == line["kernel_w"] == "1":
            kind = OpKind.CONV_1X1
        if kind is OpKind.CONV_DEPTHWISE and groups != channels:
            kind = OpKind.CONV_GROUPED
        names: tuple[str, ...] = ()
        if int(line["params"]):
            names = (f"{first}.weight",)
            weights.append(
                Weight(name=names[0], shape=(out, max(int(line["params"]) // max(out, 1), 1)), role="weight")
            )
        attrs = {
            "in_channels": channels,
            "out_channels": out,
            "in_features": channels,
            "out_features": out,
            "groups": groups,
        }
        ops.append(
            Op(
                index=len(ops), kind=kind, name=line["layer"], inputs=(first,), outputs=(first + 1,), weights=names,
                macs=int(line["macs"]), attrs=attrs,
            )
        )  # fmt: skip
    return Workload(name=name, inputs=(0,), outputs=(len(tensors) - 1,), tensors=tuple(tensors), weights=tuple(weights),
                    ops=tuple(ops))  # fmt: skip


def x86_rows(*, unseen: bool = False) -> Iterator[Row]:
    """Yield the own measurements on one x86 core, CPU time, interleaved: see benchmarks/measure_x86.py.

    With `unseen`, those of networks that are kept out of every fit, to judge it by; without, the others. ConvNeXt in
    ncnn is neither: it takes fifteen times as long as in ONNX Runtime, where all other networks take 1.0 to 1.7 times.
    """
    for table, device in (("measured_x86.csv", ZEN5), ("measured_x86_amx.csv", AMX)):
        with (data_dir("knowledge") / "prediction" / table).open(encoding="utf-8") as file:
            for record in csv.DictReader(file):
                apart = record["model"].startswith("convnext") and record["variant"].startswith("ncnn")
                if record["source"].endswith("-unseen") == unseen and not apart:
                    yield _x86_row(record, device)


def _x86_row(record: dict[str, str], device: Device) -> Row:
    runtime, _, variant = record["variant"].partition(" ")
    original = profiled(f"timm:{record['model']}", record["input"])
    assert original is not None
    steps: tuple[Step, ...] = ()
    after = original
    if variant in ("u8s8", "s8s8", "int8"):
        step = StaticInt8(signedness="s8s8" if variant == "s8s8" or runtime == "ncnn" else "u8s8")
        after, steps = preview_static(step, original), (step,)
    elif variant.startswith("dynamic"):
        after, steps = preview_dynamic(DynamicInt8(), original), (DynamicInt8(),)
    elif variant == "bf16":
        after, steps = preview_half(Half(dtype="bf16"), original), (Half(dtype="bf16"),)
    query = Query(Plan(steps=steps, runtime=runtime, unit="cpu", threads=1), original, after, device)
    ms = float(record["fp32_ms"]) * float(record["ratio"])
    return Row(query, ms, original.name, device.id, record["source"], variant, False)


def _paths(peaks: dict[str, float], runtimes: dict[str, str], formula: str) -> tuple[ExecPath, ...]:
    """Return a path for every runtime with the form of int8 that it wants."""
    figures = {p: Figure(value=v, basis="derived", formula=formula) for p, v in peaks.items()}
    return tuple(
        ExecPath(runtime=runtime, unit="cpu", precisions=("fp32", "bf16", "int8"), peak_gmacs=figures,
                 restrictions=Restrictions(signedness=(form,)))
        for runtime, form in runtimes.items()
    )  # fmt: skip


_FORMS = {"onnxruntime": "u8s8", "openvino": "u8s8", "pytorch": "u8s8"}
ZEN5 = Device(
    id="zen5", name="one core of an AMD EPYC (Zen 5)", vendor="AMD", kind="x86",
    cpu=Cpu(arch="x86_64", isa=("avx2", "avx512", "avx512_vnni", "avx512_bf16"), cores=(Core(name="Zen5", count=1),)),
    memory=Memory(sustained_gbs=Figure(value=24, basis="measured", source="b5")),
    paths=_paths({"fp32": 128, "bf16": 256, "int8": 512}, _FORMS, "32, 64 and 128 MAC per cycle at about 4 GHz"),
    sources={"b5": Source(what="copy of 256 MB", where="own measurement", date="2026-11-23")},
)  # fmt: skip
# The clock is what the virtual machine reports, as it would be detected; chains of multiplications run at 2.3 to 2.9
# GHz. The fitted shares of the peaks hold this factor, so that predictions for such a host are right and those for
# profiles with real clocks somewhat fast.
AMX = Device(
    id="amx", name="one core of an Intel Xeon with AMX", vendor="Intel", kind="x86",
    cpu=Cpu(arch="x86_64", isa=("avx2", "avx512", "avx512_vnni", "avx512_bf16", "avx_vnni", "amx"),
            cores=(Core(name="Golden-Cove-Server", count=1),)),
    paths=_paths({"fp32": 67.2, "bf16": 1075.2, "int8": 2150.4}, {**_FORMS, "ncnn": "s8s8"},
                 "32, 512 and 1024 MAC per cycle at 2.1 GHz"),
)  # fmt: skip
