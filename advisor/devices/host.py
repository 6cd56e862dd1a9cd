"""The profile of the machine advisor runs on: detected, with peaks derived from cores, clock and instruction sets."""

import importlib.util
import math
import os
import shutil
from pathlib import Path
from typing import Any

from advisor.resources import data_dir
from advisor.schema import Core, Cpu, Device, ExecPath, Figure, Memory, Restrictions, Source
from advisor.schema.device import DeviceKind, Precision

from .calibration import stored_calibration
from .cores import CoreKind, derived_peaks, load_cores
from .machine import Cluster, Machine, read_machine

_DETECTED = "detected"
_OPTIONAL = {"openvino": "openvino", "ncnn": "pnnx", "executorch": "executorch", "tflite": "ai_edge_litert"}  # module
_FORMS: dict[str, tuple[str, ...]] = {  # what their files hold as advisor makes them
    "openvino": ("fp32", "fp16", "bf16", "int8", "w8", "w4"),
    "ncnn": ("fp32", "fp16", "int8"),
    "executorch": ("fp32", "int8"),
    "tflite": ("fp32", "int8"),
    "aotinductor": ("fp32",),
}
_PREFERRED = frozenset({"onnxruntime", "openvino"})  # the others are considered where they are asked for


def detect_host(*, measure: bool = False, root: Path = Path("/")) -> Device:
    """Return this machine as a device of the id 'host'.

    Peaks are cores x GHz x MAC per cycle (upper bounds; clocks fall under load). With `measure` a benchmark of about
    two seconds replaces them by what matrix products reach. A stored calibration that fits comes along; one that no
    longer does is named in the notes. `root` is the file system to read, '/' but in tests.
    """
    machine = read_machine(root)
    table = load_cores((data_dir("profiles"),))
    cores = tuple(_core(cluster, machine, table) for cluster in machine.clusters)
    paths = tuple(_path(name, machine, cores, table) for name in _runtimes())
    calibration, told = stored_calibration(machine.name) if root == Path("/") else (None, "")
    device = Device(
        id="host",
        name=f"this machine ({machine.name})",
        vendor=_vendor(machine),
        kind=_kind(machine),
        soc=machine.name,
        cpu=Cpu(arch=machine.arch, cores=cores, isa=machine.isa),
        memory=Memory(capacity_mb=_found(machine.memory_mb), last_level_cache_kb=_found(machine.cache_kb)),
        paths=paths,
        notes=" ".join(filter(None, (_notes(machine), told))),
        sources={_DETECTED: Source(what="read from this machine", where="operating system: /proc, /sys or psutil")},
        confidence="detected",
        calibration=calibration,
    )
    if not measure:
        return device
    from .measure import with_measured_peaks

    return with_measured_peaks(device)


def _found(value: float | None) -> Figure | None:
    return None if value is None else Figure(value=round(value, 3), basis="measured", source=_DETECTED)


def _core(cluster: Cluster, machine: Machine, table: dict[str, CoreKind]) -> Core:
    """Name a cluster by the core table; a time quota below the core count leaves as many cores as it pays for."""
    count = cluster.cores
    total = sum(c.cores for c in machine.clusters)
    if machine.quota is not None and machine.quota < total:
        count = max(1, math.floor(machine.quota * cluster.cores / total))
    return Core(name=core_name(cluster.kind, machine.isa, table), count=count, freq_ghz=_found(cluster.ghz))


def core_name(kind: str, isa: tuple[str, ...], table: dict[str, CoreKind]) -> str:
    """Return the table's name of a core that the kernel calls `kind` ('GenuineIntel:6:143') with these instructions."""
    family = f"{kind.rsplit(':', 1)[0]}:*"
    for wanted in (kind, family):
        for entry in table.values():
            if wanted in entry.ids and (not entry.needs or entry.needs in isa):
                return entry.name
    for entry in table.values():
        if any(i.startswith("isa:") and i.removeprefix("isa:") in isa for i in entry.ids):
            return entry.name
    return kind or "unknown"


def _runtimes() -> tuple[str, ...]:
    """ONNX Runtime and PyTorch come with advisor; others count where they are installed (found without an import)."""
    optional = (name for name, module in _OPTIONAL.items() if importlib.util.find_spec(module))
    compiler = os.environ.get("CXX") or "g++"
    return ("onnxruntime", "pytorch", *optional, *(("aotinductor",) if shutil.which(compiler) else ()))


def _path(runtime: str, machine: Machine, cores: tuple[Core, ...], table: dict[str, CoreKind]) -> ExecPath:
    matrix_bf16 = bool({"amx", "avx512_bf16"} & set(machine.isa))
    precisions: list[Precision] = ["fp32"]
    if matrix_bf16 and runtime in ("pytorch", "openvino"):
        precisions.append("bf16")
    # Elsewhere the runtimes have plain C kernels, slower than float; compiled torch only simulates integers.
    if machine.arch in ("x86_64", "aarch64") and runtime != "aotinductor":
        precisions.append("int8")
    peaks: dict[Any, Figure] = dict(derived_peaks(cores, precisions, table))
    return ExecPath(
        runtime=runtime,
        unit="cpu",
        precisions=tuple(precisions),
        peak_gmacs=peaks,
        default_float="fp32",  # of openvino too: files made here say what they are to be computed in
        threads=sum(core.count for core in cores),
        restrictions=_restrictions(machine, runtime),
        forms=_FORMS.get(runtime, ()),
        preferred=runtime in _PREFERRED,
    )


def _restrictions(machine: Machine, runtime: str) -> Restrictions:
    granularity: Any = ("per_channel", "per_tensor")
    if runtime == "ncnn":  # multiplies signed bytes of symmetric ranges only
        return Restrictions(weight_granularity=granularity, signedness=("s8s8",), activation_symmetric=True)
    if machine.arch == "x86_64":
        vnni = {"avx512_vnni", "avx_vnni", "amx"} & set(machine.isa)
        signedness: Any = ("u8s8", "s8s8", "u8u8") if vnni else ("u8s8", "u8u8", "s8s8")
        return Restrictions(weight_granularity=granularity, signedness=signedness)
    return Restrictions(weight_granularity=granularity, signedness=("s8s8", "u8s8", "u8u8"))


def _vendor(machine: Machine) -> str:
    kind = machine.clusters[0].kind if machine.clusters else ""
    known = {"GenuineIntel": "Intel", "AuthenticAMD": "AMD", "0x41": "Arm", "0x4e": "NVIDIA", "0x61": "Apple"}
    return known.get(kind.split(":", maxsplit=1)[0], "unknown")


def _kind(machine: Machine) -> DeviceKind:
    return "x86" if machine.arch == "x86_64" else "sbc"


def _notes(machine: Machine) -> str:
    physical = sum(cluster.cores for cluster in machine.clusters)
    text = f"{physical} physical and {machine.logical} logical cores are open to this process."
    if machine.quota is not None:
        text += f" Its control group grants {machine.quota:g} CPUs."
    return text + " Peaks are upper bounds from the clock that the system reports."
