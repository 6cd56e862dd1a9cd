"""A target device: what executes there, at which published rates, with which limits; every figure has a source."""

from functools import cached_property
from typing import Any, Literal

from pydantic import Field, model_validator

from .base import Record
from .calibration import Calibration
from .lesson import Lesson

DeviceKind = Literal[
    "x86", "computer", "sbc", "gpu-soc", "gpu-card", "npu-accelerator", "camera-soc", "phone", "mcu", "mcu-npu", "fpga"
]  # computer: laptop, desktop or server that is not x86; gpu-card: graphics card or graphics unit of a PC
Unit = Literal["cpu", "gpu", "npu", "dla", "mcu"]
Precision = Literal["fp32", "fp16", "bf16", "fp8", "int8", "int16", "w8a16", "int4"]
FigureBasis = Literal["published", "measured", "derived", "assumed"]


class Figure(Record):
    """A number with its origin: `source` is a key of the profile's `sources`, `formula` explains derived ones."""

    value: float
    basis: FigureBasis = "published"
    source: str = ""
    formula: str = ""

    @model_validator(mode="after")
    def _has_origin(self) -> "Figure":
        if self.basis in ("published", "measured") and not self.source:
            raise ValueError("a published or measured figure needs a source key")
        if self.basis == "derived" and not self.formula:
            raise ValueError("a derived figure needs its formula")
        return self


class Source(Record):
    """Where figures come from."""

    what: str
    where: str
    date: str = ""


class Core(Record):
    """A cluster of equal CPU cores."""

    name: str
    count: int = Field(ge=1)
    freq_ghz: Figure | None = None


class Cpu(Record):
    """CPU clusters and the instruction sets that matter for inference."""

    arch: str  # x86_64, aarch64, armv7, armv7e-m, riscv64, xtensa ...
    cores: tuple[Core, ...] = ()
    isa: tuple[str, ...] = ()  # neon, asimdhp, dotprod, i8mm, avx2, avx512, avx512_vnni, avx_vnni, amx, helium, rvv ...


class Gpu(Record):
    """Graphics processor."""

    name: str
    cuda_cc: float | None = None  # NVIDIA compute capability
    tensor_cores: bool = False
    sparse_2_4: bool = False


class Memory(Record):
    """Memories; `on_chip_kb` is the accelerator's weight memory, `sram_kb` and `flash_kb` a microcontroller's."""

    capacity_mb: Figure | None = None
    bandwidth_gbs: Figure | None = None  # theoretical peak, GB/s
    sustained_gbs: Figure | None = None  # measured by one core, GB/s
    on_chip_kb: Figure | None = None
    sram_kb: Figure | None = None
    flash_kb: Figure | None = None
    last_level_cache_kb: Figure | None = None


class PowerMode(Record):
    """A setting that limits power: its budget, and what it leaves of cores, clocks and units.

    A clock or share that is None stays as the profile states it. `default` marks the mode that the profile's clocks and
    peaks belong to.
    """

    name: str
    watts: float | None = None  # the budget; None where the mode has no limit
    default: bool = False
    cores: int | None = Field(default=None, ge=1)  # CPU cores that stay on, in the order of `Cpu.cores`
    cpu_ghz: float | None = None
    gpu_ghz: float | None = None
    gpu_units: int | None = Field(default=None, ge=1)  # groups of GPU cores that stay on
    dla_ghz: float | None = None
    memory_ghz: float | None = None
    source: str


class Power(Record):
    """Power in watts. `mode` names the power mode that was chosen; None leaves the profile as it is."""

    typical_w: Figure | None = None  # under inference load
    idle_w: Figure | None = None
    modes: tuple[PowerMode, ...] = ()
    mode: str | None = None
    thermal: str = ""  # when the board slows itself down, and what it takes to avoid it

    @property
    def current(self) -> PowerMode | None:
        """The chosen mode, else the one that the profile's figures belong to."""
        return next((m for m in self.modes if (m.name == self.mode if self.mode else m.default)), None)


class Restrictions(Record):
    """What an execution path insists on. None or empty means: not known or no restriction."""

    integer_only: bool = False  # no float arithmetic at all: full-int8 graphs or nothing
    weight_granularity: tuple[Literal["per_tensor", "per_channel", "group"], ...] = ()
    activation_symmetric: bool | None = None  # True: symmetric only
    power_of_two_scales: bool = False
    signedness: tuple[Literal["u8s8", "s8s8", "u8u8"], ...] = ()  # activation, weight; best first
    static_shapes: bool = False
    channel_alignment: int | None = None  # channels are padded to a multiple of this
    unsupported: tuple[str, ...] = ()  # OpKind values and functions ("silu", "conv_depthwise") not executed on the unit
    weight_capacity: bool = False  # weights above memory.on_chip_kb are streamed or refused
    needs_calibration_images: int | None = None
    sparse_kernels: tuple[Literal["unstructured", "2:4"], ...] = ()


class ExecPath(Record):
    """One way to execute a network here: a runtime on a unit, with the precisions worth using and their peaks.

    `peak_gmacs` holds the arithmetic peak in GMAC/s by precision for all cores of the unit; a precision may stand in
    `precisions` without a peak (unknown). `int8` listed on a path means that it really executes int8 there.
    """

    runtime: str
    unit: Unit
    precisions: tuple[Precision, ...]
    peak_gmacs: dict[Precision, Figure] = {}
    default_float: Precision = "fp32"  # what the runtime computes a float model in
    threads: int | None = None
    restrictions: Restrictions = Restrictions()
    forms: tuple[str, ...] = ()  # precisions of plans that its files can hold ('int8', 'w8'); empty: not known, or all
    notes: str = ""
    preferred: bool = False  # the vendor's or our usual choice on this device

    @property
    def label(self) -> str:
        """Runtime and unit."""
        return f"{self.runtime}/{self.unit}"


class Device(Record):
    """A device profile."""

    id: str
    name: str
    vendor: str
    kind: DeviceKind
    soc: str = ""
    aliases: tuple[str, ...] = ()
    os: bool = True  # runs Linux, Windows, Android or iOS: Python and process memory make sense
    cpu: Cpu | None = None
    gpu: Gpu | None = None
    npu: str = ""
    memory: Memory = Memory()
    power: Power = Power()
    paths: tuple[ExecPath, ...] = Field(min_length=1)
    notes: str = ""
    sources: dict[str, Source] = {}
    confidence: Literal["good", "secondary", "placeholder", "detected"] = "good"
    version: str = "1"  # of the profile
    calibration: Calibration | None = None  # timings of this very machine, where they were taken and still fit
    lessons: tuple[Lesson, ...] = ()  # what the outcomes store says of predictions for this device

    @model_validator(mode="after")
    def _sources_exist(self) -> "Device":
        for mode in self.power.modes:
            if mode.source not in self.sources:
                raise ValueError(f"power mode {mode.name}: source {mode.source!r} is not in sources")
        for where, figure in self.figures.items():
            if figure.source and figure.source not in self.sources:
                raise ValueError(f"{where}: source {figure.source!r} is not in sources ({', '.join(self.sources)})")
        return self

    @cached_property
    def figures(self) -> dict[str, Figure]:
        """Every figure by its dotted place in the profile."""
        found: dict[str, Figure] = {}

        def walk(prefix: str, value: Any) -> None:
            if value is None or isinstance(value, str | bool | float):
                return
            if isinstance(value, Figure):
                found[prefix] = value
            elif isinstance(value, Record):
                for key in type(value).model_fields:
                    walk(f"{prefix}.{key}" if prefix else key, getattr(value, key))
            elif isinstance(value, tuple):
                for i, item in enumerate(value):
                    walk(f"{prefix}[{i}]", item)
            elif isinstance(value, dict):
                for key, item in value.items():
                    walk(f"{prefix}[{key}]", item)

        for key in type(self).model_fields:
            if key != "sources":
                walk(key, getattr(self, key))
        return found

    def path(self, runtime: str, unit: str | None = None) -> ExecPath | None:
        """Return the path of this runtime (and unit), or None."""
        for path in self.paths:
            if path.runtime == runtime and (unit is None or path.unit == unit):
                return path
        return None

    @property
    def preferred_paths(self) -> tuple[ExecPath, ...]:
        """The paths marked preferred, else the first one."""
        return tuple(p for p in self.paths if p.preferred) or self.paths[:1]
