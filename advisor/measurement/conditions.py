"""What the machine was doing while something was measured: load, governor, clock, temperature, throttling.

Everything is read from files of Linux below a root; what a system does not show is None, never zero.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from advisor.units import counted

ROOT = Path("/")
HOT_C = 85.0  # most boards and laptops slow down from about here on
PRESSED = 10.0  # percent of the last ten seconds in which some task waited for a CPU


@dataclass(frozen=True)
class Conditions:
    """The state of the machine at one moment. Counters of throttling only ever grow; their difference counts."""

    load: float | None = None  # load average of the last minute
    pressure: float | None = None  # percent of the last ten seconds in which some task waited for a CPU
    governor: str | None = None  # clock policies of all CPUs, joined where they differ
    clock_mhz: int | None = None  # of the fastest CPU now
    temperature_c: float | None = None  # hottest zone
    throttle_events: int | None = None  # of cores and packages since the machine was started
    quota_stops: int | None = None  # times that the control group was stopped for using up its share of CPU time
    undervolted: bool | None = None  # a Raspberry Pi reports low voltage or throttling now


def read_conditions(root: Path = ROOT) -> Conditions:
    """Read the state of this machine; `root` is where /proc and /sys are."""
    cpus = root / "sys/devices/system/cpu"
    return Conditions(
        load=load_average() if root == ROOT else _first_number(root / "proc/loadavg"),
        pressure=_pressure(root / "proc/pressure/cpu"),
        governor=", ".join(sorted(_texts(cpus, "cpu[0-9]*/cpufreq/scaling_governor"))) or None,
        clock_mhz=_fastest(cpus),
        temperature_c=_hottest(root / "sys/class/thermal"),
        throttle_events=_throttled(cpus),
        quota_stops=_quota_stops(root / "sys/fs/cgroup"),
        undervolted=_undervolted(root / "sys/devices/platform/soc/soc:firmware/get_throttled"),
    )


def load_average() -> float | None:
    """Return the load average of the last minute where the system tells it."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def disturbance(before: Conditions, after: Conditions, *, cpu_time: bool = False) -> str:
    """Say what slowed the machine down in between, or return an empty string.

    Waiting for a share of CPU time does not count where `cpu_time` was measured. Heat alone says something only where
    no counter tells whether it had consequences.
    """
    found = []
    if grown := _grown(before.throttle_events, after.throttle_events):
        found.append(f"the CPU throttled itself {counted(grown, 'time')}")
    if not cpu_time and (grown := _grown(before.quota_stops, after.quota_stops)):
        found.append(f"the container's share of CPU time was used up {counted(grown, 'time')}")
    if after.undervolted:
        found.append("the board reports low voltage or throttling")
    if after.throttle_events is None and after.temperature_c is not None and after.temperature_c >= HOT_C:
        found.append(f"the hottest zone was at {after.temperature_c:.0f} °C")
    return ", ".join(found)


def told(before: Conditions, after: Conditions) -> str:
    """Write the conditions of a measurement in a few words: 'load average 0.3 to 0.9, governor schedutil, 55 °C'."""
    parts = []
    if before.load is not None and after.load is not None:
        parts.append(f"load average {before.load:.1f} to {after.load:.1f}")
    if after.pressure is not None and after.pressure >= PRESSED:
        parts.append(f"tasks waited for a CPU {after.pressure:.0f} % of the time")
    if after.governor:
        parts.append(f"governor {after.governor}")
    if after.temperature_c is not None:
        parts.append(f"{after.temperature_c:.0f} °C")
    return ", ".join(parts) or "load average unknown"


def _grown(before: int | None, after: int | None) -> int:
    return 0 if before is None or after is None else max(0, after - before)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""  # this kernel or container does not show it


def _texts(folder: Path, pattern: str) -> set[str]:
    return {text for path in folder.glob(pattern) if (text := _text(path))}


def _first_number(path: Path) -> float | None:
    words = _text(path).split()
    return float(words[0]) if words else None


def _pressure(path: Path) -> float | None:
    """Read 'some avg10=1.50 avg60=...'."""
    words = _text(path).split()
    return float(words[1].partition("=")[2]) if len(words) > 1 and words[1].startswith("avg10=") else None


def _fastest(cpus: Path) -> int | None:
    found = _numbers(cpus, "cpu[0-9]*/cpufreq/scaling_cur_freq")
    return max(found) // 1000 if found else None


def _hottest(zones: Path) -> float | None:
    """Return the highest of the zones' temperatures; zones that cannot be read now say nothing."""
    found = [int(text) / 1000 for text in _texts(zones, "thermal_zone*/temp") if text.lstrip("-").isdigit()]
    return max((value for value in found if -40 < value < 150), default=None)


def _throttled(cpus: Path) -> int | None:
    """Sum the counters of cores and of packages: every CPU shows its own core's, and all show their package's."""
    counts = [_numbers(cpus, f"cpu[0-9]*/thermal_throttle/{name}_throttle_count") for name in ("core", "package")]
    return sum(counts[0]) + max(counts[1], default=0) if counts[0] or counts[1] else None


def _numbers(folder: Path, pattern: str) -> list[int]:
    return [int(text) for path in folder.glob(pattern) if (text := _text(path)).isdigit()]


def _quota_stops(group: Path) -> int | None:
    for line in (_text(group / "cpu.stat") or _text(group / "cpu/cpu.stat")).splitlines():
        name, _, count = line.partition(" ")
        if name == "nr_throttled" and count.isdigit():
            return int(count)
    return None


def _undervolted(path: Path) -> bool | None:
    """Read the firmware's bits of what holds now: low voltage, capped clock, throttled, soft limit of temperature."""
    text = _text(path)
    try:
        return bool(int(text, 16) & 0xF) if text else None
    except ValueError:
        return None
