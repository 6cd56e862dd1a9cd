"""A device from the words of a benchmark: 'Rockchip RK3566 (Cortex-A55 1.8GHz x 4)'; cores, clocks and no more."""

import re
from functools import lru_cache

from advisor.resources import data_dir
from advisor.schema import Core, Cpu, Device, ExecPath, Figure, Source

from .cores import CoreKind, derived_peaks, load_cores

_CLOCK = re.compile(r"(\d+(?:\.\d+)?)\s*([gm])hz", re.IGNORECASE)
_COUNT = re.compile(r"(?<![a-z])[x*×]\s*(\d+)\b", re.IGNORECASE)
_SOURCE = "named"


@lru_cache(maxsize=512)
def described_device(text: str, runtime: str, unit: str = "cpu") -> Device | None:
    """Return a device of the CPU cores that `text` names with a clock, or None where it names none."""
    table = load_cores((data_dir("profiles"),))
    cores = tuple(_cores(text, table))
    if unit != "cpu" or not cores:
        return None
    kinds = [table[core.name.lower()] for core in cores]
    peaks = derived_peaks(cores, ("fp32", "fp16", "int8"), table)
    isa = _isa(kinds[0])
    return Device(
        id=_id(text), name=text, vendor="", kind="sbc",
        cpu=Cpu(arch="aarch64" if isa else "", cores=cores, isa=isa),
        paths=(ExecPath(runtime=runtime, unit="cpu", precisions=("fp32", "int8"), peak_gmacs=peaks,
                        default_float="fp16" if "asimdhp" in isa and runtime == "ncnn" else "fp32"),),
        sources={_SOURCE: Source(what="the device's own name", where=text)}, confidence="placeholder",
    )  # fmt: skip


def _id(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.partition("(")[0].lower()).strip("-") or "named-device"


def _cores(text: str, table: dict[str, CoreKind]) -> list[Core]:
    found = []
    names = sorted((name for name in table if "-" in name or name[-1].isdigit()), key=len, reverse=True)
    for part in re.split(r"[+/,]", text):
        clock = _CLOCK.search(part)
        plain = re.sub(r"[\s_]+", "-", part.lower())
        name = next((n for n in names if re.search(rf"\b{re.escape(n)}\b", plain)), None)
        if clock is None or name is None:
            continue
        ghz = float(clock[1]) / (1000 if clock[2].lower() == "m" else 1)
        count = _COUNT.search(part.replace(clock[0], " "))
        figure = Figure(value=ghz, basis="published", source=_SOURCE)
        found.append(Core(name=table[name].name, count=int(count[1]) if count else 1, freq_ghz=figure))
    return found


def _isa(kind: CoreKind) -> tuple[str, ...]:
    """Tell the instruction sets of an Arm core by its rates: what multiplies faster has the instruction for it."""
    rates = kind.mac_per_cycle
    if not kind.name.lower().startswith(("cortex-a", "cortex-x", "neoverse", "kryo", "carmel", "denver")):
        return ()
    isa = ["neon"]
    base = rates.get("fp32", 1.0)
    if "fp16" in rates:
        isa.append("asimdhp")
    if rates.get("int8", 0.0) >= 4 * base:
        isa.append("dotprod")
    if rates.get("int8", 0.0) >= 8 * base:
        isa.append("i8mm")
    return tuple(isa)
