"""Sort execution units into the classes that share efficiencies, and count how much of a unit some threads use."""

from advisor.schema import Core, Device, ExecPath

_LITTLE = (
    "cortex-a5",
    "cortex-a7",
    "cortex-a32",
    "cortex-a35",
    "cortex-a53",
    "cortex-a55",
    "cortex-a510",
    "cortex-a520",
)
# Tiles multiply eight times as fast as VNNI does, of which runtimes reach a far smaller share: a class of its own.
_X86 = (
    ("x86-amx", {"amx", "amx_int8", "amx_bf16"}),
    ("x86-vnni", {"avx512_vnni", "avx_vnni", "avx512vnni", "avxvnni"}),
    ("x86-avx2", {"avx2", "avx512", "avx512f"}),
)
_BIG_LOOKALIKES = ("cortex-a57", "cortex-a72", "cortex-a73", "cortex-a75", "cortex-a76", "cortex-a77", "cortex-a78")
_LITTLE_SPEED = 0.5  # of a big core at equal clock: cpufp measures 8.1 fp32 GFLOPS per GHz on A55 and 15.6 on A76


def is_little(core: str) -> bool:
    """Whether a core is of the in-order, half-width kind."""
    name = core.lower().replace(" ", "-")
    return name.startswith(_LITTLE) and not name.startswith(_BIG_LOOKALIKES)


def unit_class(device: Device, path: ExecPath) -> str:
    """Return the class of a path's unit: 'x86-vnni', 'x86-amx', 'arm-v8-big', 'gpu-cuda', 'npu', 'mcu-xtensa' ..."""
    return class_of(device, path.unit)


def class_of(device: Device, unit: str) -> str:
    """Return the class of a unit of the device."""
    if unit == "gpu":
        return "gpu-cuda" if device.gpu is not None and device.gpu.cuda_cc is not None else "gpu-other"
    if unit in ("npu", "dla"):
        return "npu-mcu" if device.kind == "mcu-npu" else unit
    if unit == "mcu" or device.kind in ("mcu", "mcu-npu"):
        return "mcu-xtensa" if device.cpu is not None and device.cpu.arch.startswith("xtensa") else "mcu"
    return _cpu_class(device)


def _cpu_class(device: Device) -> str:
    cpu = device.cpu
    if cpu is None:
        return "cpu"
    isa = {name.lower() for name in cpu.isa}
    if cpu.arch in ("x86_64", "x86-64", "amd64", "x86"):
        return next((name for name, any_of in _X86 if isa & any_of), "x86-sse")
    if not cpu.arch.startswith(("aarch64", "arm")):
        return f"cpu-{cpu.arch}"
    size = "little" if cpu.cores and all(is_little(core.name) for core in cpu.cores) else "big"
    if "i8mm" in isa:
        return f"arm-i8mm-{size}"
    if isa & {"dotprod", "asimddp"}:
        return f"arm-dotprod-{size}"
    if isa & {"asimdhp", "fp16"}:
        return f"arm-fp16-{size}"
    return f"arm-v7-{size}" if cpu.arch.startswith("armv7") else f"arm-v8-{size}"


def core_speed(core: Core) -> float:
    """Return the relative speed of a core; an unknown clock counts as 1 GHz."""
    ghz = core.freq_ghz.value if core.freq_ghz is not None else 1.0
    return ghz * (_LITTLE_SPEED if is_little(core.name) else 1.0)


def core_speeds(device: Device) -> list[float]:
    """Relative speeds of all cores, fastest first; an unknown clock counts as 1 GHz."""
    if device.cpu is None:
        return []
    speeds = [core_speed(core) for core in device.cpu.cores for _ in range(core.count)]
    return sorted(speeds, reverse=True)


def thread_share(device: Device, path: ExecPath, threads: int | None) -> tuple[float, int]:
    """Return the share of the unit's peak that the threads can reach, and their number."""
    speeds = core_speeds(device)
    if path.unit != "cpu" or not speeds:
        return 1.0, 1
    wanted = threads or path.threads or len(speeds)
    used = max(1, min(wanted, len(speeds)))
    return sum(speeds[:used]) / sum(speeds), used
