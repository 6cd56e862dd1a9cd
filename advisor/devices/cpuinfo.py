"""Reading the text of /proc/cpuinfo: one record per logical CPU, with flags in the vocabulary of profiles."""

from collections.abc import Mapping
from dataclasses import dataclass

_X86: Mapping[str, tuple[str, ...]] = {
    "sse2": ("sse2",),
    "avx2": ("avx2",),
    "avx512": ("avx512f", "avx512bw", "avx512vl"),
    "avx512_vnni": ("avx512_vnni",),
    "avx512_bf16": ("avx512_bf16",),
    "avx_vnni": ("avx_vnni",),
    "avx_vnni_int8": ("avx_vnni_int8",),
    "amx": ("amx_tile", "amx_int8"),
}
_ARM: Mapping[str, tuple[str, ...]] = {
    "neon": ("asimd",),
    "asimdhp": ("asimdhp",),
    "dotprod": ("asimddp",),
    "i8mm": ("i8mm",),
    "bf16": ("bf16",),
    "sve": ("sve",),
}
_LOONG: Mapping[str, tuple[str, ...]] = {"lsx": ("lsx",), "lasx": ("lasx",)}


@dataclass(frozen=True)
class LogicalCpu:
    """One logical CPU. `kind` is how `profiles/_cores.yaml` names a core ('0x41:0xd0b', 'GenuineIntel:6:190')."""

    number: int
    kind: str
    model: str
    isa: tuple[str, ...]
    core: tuple[str, str]  # package and core, equal for hyper-threads of one core
    mhz: float | None


def parse_cpuinfo(text: str) -> tuple[LogicalCpu, ...]:
    """Return the logical CPUs; lines that stand after the last CPU ('Hardware', 'Model') are left to the caller."""
    cpus = []
    for block in text.split("\n\n"):
        fields = _fields(block)
        number = fields.get("processor", "")
        if number.isdigit():
            cpus.append(_cpu(int(number), fields))
    return tuple(cpus)


def board_model(text: str) -> str:
    """Return the board's name that Arm kernels append ('Raspberry Pi 5 Model B Rev 1.0'), or an empty string."""
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "Model":
            return value.strip()
    return ""


def _fields(block: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in block.splitlines() if ":" in line)
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def _cpu(number: int, fields: Mapping[str, str]) -> LogicalCpu:
    vendor = fields.get("vendor_id", "")
    arm_part = fields.get("cpu part", "")
    kind = f"{fields.get('cpu implementer', '').lower()}:{arm_part.lower()}" if arm_part else ""
    if vendor:
        kind = f"{vendor}:{fields.get('cpu family', '')}:{fields.get('model', '')}"
    mhz = fields.get("cpu mhz", "")
    return LogicalCpu(
        number=number,
        kind=kind,
        model=fields.get("model name", "") or fields.get("isa", "") or kind,
        isa=_isa(fields),
        core=(fields.get("physical id", "0"), fields.get("core id", str(number))),
        mhz=float(mhz) if mhz.replace(".", "", 1).isdigit() else None,
    )


def _isa(fields: Mapping[str, str]) -> tuple[str, ...]:
    if "flags" in fields:
        table, words = _X86, fields["flags"]
    elif "cpu architecture" in fields or "cpu part" in fields:
        table, words = _ARM, fields.get("features", "")
    elif "isa" in fields:
        extensions = fields["isa"].split("_")[0].removeprefix("rv64").removeprefix("rv32")
        return ("rvv",) if "v" in extensions else ()
    else:
        table, words = _LOONG, fields.get("features", "")
    present = set(words.split())
    if "neon" in present:  # 32-bit kernels say neon where 64-bit ones say asimd
        present.add("asimd")
    return tuple(name for name, needed in table.items() if present.issuperset(needed))
