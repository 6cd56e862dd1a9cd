"""Where and how a network runs, as the pooled model sees it: device, unit, runtime, precision, threads, and rates."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log

from advisor.prediction.rates import THEORY_REACHED
from advisor.prediction.unit_class import class_of, core_speed, core_speeds
from advisor.schema import Device, ExecPath, Figure
from advisor.schema.identity import remembered

# GB/s of one core over its GMAC/s in fp32, where no bandwidth is known; only a starting point, the fit moves it.
_BYTES_PER_MAC = 0.4
_ONE_OF_ALL = 0.1  # fp32 peak of one core over the fp16 peak of all, on processors of which nothing is known
_PEAKS = {"int8": ("int8", "fp16", "fp32"), "fp16": ("fp16", "fp32", "int8"), "fp32": ("fp32", "fp16", "int8"),
          "bf16": ("bf16", "fp16", "fp32", "int8")}  # fmt: skip
# An int8 peak stands in for a float one and the other way round by the usual step between them.
STEP = {"int8": 2.0, "fp16": 1.0, "bf16": 1.0, "fp32": 0.5}
BYTES = {"int8": 1.0, "w8a16": 2.0, "mixed": 1.0, "w4a8": 1.0, "w4a16": 2.0, "fp16": 2.0, "bf16": 2.0}
# Classes that the published measurements do not tell apart: one device with AMX is among them, in ncnn, which does not
# use the tiles.
_POOLED_WITH = {"x86-amx": "x86-vnni"}
# From these dates on ncnn has today's kernels: dot product dispatch, then the rewritten Arm int8 and Winograd kernels.
_ERAS = ("2021-06", "2023-10-22")


@dataclass(frozen=True)
class Setup:
    """One way to run networks; rates are before any efficiency and None where the profile states none.

    `gmacs`: peak of the threads in use in GMAC/s; `one`: of one thread in fp32; `gbs`: memory bandwidth in GB/s;
    `step`: the usual peak of this precision over that of fp16; `era`: of the runtime, the newest unless the measurement
    tells; `bytes`: of one element.
    """

    device: str
    unit: str
    runtime: str
    precision: str
    threads: int
    cores: int
    batch: int
    metric: str  # latency | throughput
    era: int
    source: str
    unit_class: str
    core: str
    gmacs: float | None
    one: float
    gbs: float | None
    step: float
    bytes: float

    @property
    def way(self) -> str:
        """Runtime, unit and precision: 'ncnn|cpu|int8'."""
        return f"{self.runtime}|{self.unit}|{self.precision}"


@dataclass(frozen=True)
class Run:
    """How networks are run on a unit: `published` is a date that tells the runtime's era, empty for today's."""

    unit: str
    runtime: str
    precision: str
    threads: int | None = None
    batch: int = 1
    metric: str = "latency"
    published: str = ""
    source: str = ""


@remembered(4096)
def setup_of(device: Device, run: Run) -> Setup:
    """Describe a setup from a profile."""
    unit = run.unit
    path = device.path(run.runtime, unit)
    precision = run.precision if run.precision not in ("", "float") else _default_float(device, path, unit)
    total = sum(core.count for core in device.cpu.cores) if device.cpu is not None and unit == "cpu" else 0
    used = (run.threads or (path.threads if path is not None else None) or total) if total else 0
    gmacs, one = _peak(device, path, unit, precision, used)
    return Setup(
        device=device.id, unit=unit, runtime=run.runtime, precision=precision, threads=used, cores=total,
        batch=max(run.batch, 1), metric=run.metric, era=_era(run.published), source=run.source,
        unit_class=_class(device, unit), core=_core(device, unit), gmacs=gmacs, one=one,
        gbs=_bandwidth(device), step=STEP.get(precision, STEP["int8"]), bytes=BYTES.get(precision, 4.0),
    )  # fmt: skip


def _era(published: str) -> int:
    return sum(published >= day for day in _ERAS) if published else len(_ERAS)


def _default_float(device: Device, path: ExecPath | None, unit: str) -> str:
    """Return what a runtime computes a float network in."""
    if path is not None:
        return path.default_float
    paths = [p for p in device.paths if p.unit == unit]
    return paths[0].default_float if paths else "fp32"


def _class(device: Device, unit: str) -> str:
    """Return the class of unit; accelerators are told apart by their makers, unknown cores from known ones."""
    if unit == "cpu" and (device.cpu is None or not device.cpu.cores):
        return "cpu of unknown cores"
    found = class_of(device, unit)
    name = _POOLED_WITH.get(found, found)
    return f"{name}/{device.vendor.lower()}" if unit in ("npu", "gpu", "dla") else name


def lent_class(device: Device, unit: str) -> bool:
    """Whether the model knows the device's class of unit as another one."""
    return class_of(device, unit) in _POOLED_WITH


def _core(device: Device, unit: str) -> str:
    """Return the name of what computes: the fastest core, the NPU, the GPU without its number of units."""
    if unit in ("npu", "dla"):
        return device.npu
    if unit == "gpu":
        return device.gpu.name.split(",")[0] if device.gpu is not None else ""
    if device.cpu is None or not device.cpu.cores:
        return ""
    return max(device.cpu.cores, key=core_speed).name


def _peak(device: Device, path: ExecPath | None, unit: str, precision: str, threads: int) -> tuple[float | None, float]:
    """Return the peak of the threads in use for this precision and that of one thread in fp32, in GMAC/s."""
    paths = [p for p in (path, *device.paths) if p is not None and p.unit == unit and p.peak_gmacs]
    whole = _first(paths, precision)
    single = _first(paths, "fp32")
    speeds = core_speeds(device) if unit == "cpu" else []
    share = sum(speeds[:threads]) / sum(speeds) if speeds and threads else 1.0
    fastest = speeds[0] / sum(speeds) if speeds else 1.0
    return (None if whole is None else whole * share), (1.0 if single is None else single * fastest)


def _first(paths: list[ExecPath], precision: str) -> float | None:
    """Return the peak for a precision, borrowed from the nearest one with a usual step where it is not stated."""
    wanted = precision if precision in _PEAKS else "int8"
    for name in _PEAKS[wanted]:
        for path in paths:
            figure: Figure | None = {str(k): v for k, v in path.peak_gmacs.items()}.get(name)
            if figure is not None and figure.value > 0:
                return figure.value * STEP[wanted] / STEP[name]
    return None


def _bandwidth(device: Device) -> float | None:
    memory = device.memory
    if memory.sustained_gbs is not None:
        return memory.sustained_gbs.value
    return memory.bandwidth_gbs.value * THEORY_REACHED if memory.bandwidth_gbs is not None else None


@dataclass(frozen=True)
class Rates:
    """Usual rates of a class of unit, used where a profile states none: GMAC/s of fp16 on the whole unit, and GB/s."""

    gmacs: float
    gbs: float
    one: float = 1.0  # of one thread in fp32, on CPUs


def rates_of(setup: Setup, usual: Mapping[str, Rates]) -> Rates:
    """Return the rates of a setup, filled up with those of its class, else of its kind of unit."""
    fallback = usual.get(setup.unit_class) or usual[setup.unit]
    cpu = setup.unit in ("cpu", "mcu")
    gmacs = setup.gmacs or fallback.gmacs * setup.step
    one = setup.one if setup.gmacs or not cpu else fallback.gmacs * _ONE_OF_ALL
    return Rates(gmacs, setup.gbs or (one * _BYTES_PER_MAC if cpu else fallback.gbs), one)


def covariates(setup: Setup, usual: Mapping[str, Rates]) -> tuple[float, ...]:
    """Return what a descriptor says beyond its classes, as logarithms: threads, peak, bandwidth, cores."""
    typical = usual.get(setup.unit_class) or usual[setup.unit]
    reference = setup.one * _BYTES_PER_MAC if setup.unit in ("cpu", "mcu") else typical.gbs
    return (
        log(max(setup.threads, 1)),
        log(setup.gmacs / (typical.gmacs * setup.step)) if setup.gmacs else 0.0,
        log(setup.gbs / reference) if setup.gbs else 0.0,
        log(max(setup.cores, 1) / 4.0) if setup.cores else 0.0,
        0.0 if setup.gmacs else 1.0,
    )
