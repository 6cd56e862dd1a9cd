"""Multiply-accumulates per cycle of CPU cores (`profiles/_cores.yaml`) and the peaks that follow from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advisor.errors import DeviceError
from advisor.schema import Core, Figure

from .yamlfile import read_mapping

FILE = "_cores.yaml"


@dataclass(frozen=True)
class CoreKind:
    """One microarchitecture: MAC per cycle and core by precision, and how the kernel names it.

    `ids` are '0x41:0xd08' (Arm implementer and part), 'GenuineIntel:6:190' (x86 vendor, family, model, '*' for any) or
    'isa:avx2' (any core with this instruction set).
    """

    name: str
    mac_per_cycle: dict[str, float]
    why: str
    ids: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    needs: str = ""  # an instruction set that these rates use and a virtual machine may hide


def load_cores(folders: Sequence[Path]) -> dict[str, CoreKind]:
    """Return the core table by lower-case core name; later folders override earlier ones."""
    table: dict[str, CoreKind] = {}
    for folder in folders:
        path = folder / FILE
        if path.is_file():
            for name, entry in read_mapping(path).items():
                table[str(name).lower()] = _core_kind(str(name), entry, path)
    return table


def _core_kind(name: str, entry: Any, path: Path) -> CoreKind:
    known = {"mac_per_cycle", "why", "ids", "source", "needs"}
    if not isinstance(entry, dict) or not isinstance(entry.get("mac_per_cycle"), dict) or set(entry) - known:
        raise DeviceError(
            "a core has mac_per_cycle, why, ids and source", where=f"{path}: {name}", remedy="Compare its neighbours."
        )
    return CoreKind(
        name=name,
        mac_per_cycle={str(k): float(v) for k, v in entry["mac_per_cycle"].items()},
        why=str(entry.get("why", "")),
        ids=tuple(str(i) for i in entry.get("ids", ())),
        sources=(str(entry["source"]),) if "source" in entry else (),
        needs=str(entry.get("needs", "")),
    )


def derived_peaks(
    cores: Sequence[Core], precisions: Sequence[str], table: dict[str, CoreKind], threads: int | None = None
) -> dict[str, Figure]:
    """Return peaks in GMAC/s as sum over clusters of cores x GHz x MAC per cycle.

    A precision is left out unless every cluster has a known clock and rate; an assumed clock makes the peak assumed.
    With `threads` only that many cores count, the first clusters first (a microcontroller's runtime uses one core).
    """
    used = list(_limited(cores, threads))
    peaks: dict[str, Figure] = {}
    guessed = any(core.freq_ghz is not None and core.freq_ghz.basis == "assumed" for core, _ in used)
    for precision in precisions:
        terms = [_term(core, count, precision, table) for core, count in used]
        if terms and all(term is not None for term in terms):
            whole = [term for term in terms if term is not None]
            peaks[precision] = Figure(
                value=round(sum(value for value, _ in whole), 4),
                basis="assumed" if guessed else "derived",
                formula=" + ".join(text for _, text in whole) + " MAC/cycle",
            )
    return peaks


def _limited(cores: Sequence[Core], threads: int | None) -> Sequence[tuple[Core, int]]:
    left = threads if threads is not None else sum(core.count for core in cores)
    used: list[tuple[Core, int]] = []
    for core in cores:
        count = min(core.count, left)
        if count > 0:
            used.append((core, count))
            left -= count
    return used


def _term(core: Core, count: int, precision: str, table: dict[str, CoreKind]) -> tuple[float, str] | None:
    kind = table.get(core.name.lower())
    rate = kind.mac_per_cycle.get(precision) if kind else None
    if rate is None or core.freq_ghz is None:
        return None
    ghz = core.freq_ghz.value
    return count * ghz * rate, f"{count} {core.name} x {ghz:g} GHz x {rate:g}"
