"""What this machine has and what of it this process may use: cores, clocks, caches, memory. Reads files only."""

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .cpuinfo import LogicalCpu, board_model, parse_cpuinfo


@dataclass(frozen=True)
class Cluster:
    """Physical cores of one kind that this process may use."""

    kind: str
    cores: int
    ghz: float | None


@dataclass(frozen=True)
class Machine:
    """The facts about a machine; None where nothing tells."""

    name: str
    arch: str
    isa: tuple[str, ...]
    clusters: tuple[Cluster, ...]
    logical: int  # logical CPUs that this process may use
    quota: float | None = None  # CPUs' worth of time that the control group grants
    memory_mb: float | None = None
    cache_kb: float | None = None


def read_machine(root: Path = Path("/"), allowed: frozenset[int] | None = None) -> Machine:
    """Describe the machine: from /proc and /sys below `root` on Linux, through psutil and platform elsewhere.

    `allowed` are the logical CPUs of the process; by default the scheduler's affinity decides.
    """
    text = _text(root / "proc/cpuinfo")
    cpus = parse_cpuinfo(text) if text else ()
    if not cpus:
        return _portable()
    if allowed is None and root == Path("/") and hasattr(os, "sched_getaffinity"):
        allowed = frozenset(os.sched_getaffinity(0))
    usable = [cpu for cpu in cpus if allowed is None or cpu.number in allowed] or list(cpus)
    common = set(usable[0].isa).intersection(*(cpu.isa for cpu in usable))
    board = board_model(text) or _text(root / "proc/device-tree/model").strip("\0\n ")
    return Machine(
        name=board or usable[0].model or "this machine",
        arch=_arch(usable[0], root),
        isa=tuple(name for name in usable[0].isa if name in common),
        clusters=_clusters(usable, root),
        logical=len(usable),
        quota=_quota(root),
        memory_mb=_memory_mb(root),
        cache_kb=_last_level_cache_kb(root),
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""  # the file is missing on this kernel or hidden from this container


def _arch(cpu: LogicalCpu, root: Path) -> str:
    if root == Path("/"):
        return _normal_arch(platform.machine())
    if "sse2" in cpu.isa:
        return "x86_64"
    return "aarch64" if cpu.kind.startswith("0x") else "riscv64"


def _normal_arch(machine: str) -> str:
    names = {"amd64": "x86_64", "arm64": "aarch64", "armv7l": "armv7", "armv8l": "armv7"}
    lower = machine.lower()
    return names.get(lower, lower)


def _clusters(cpus: Sequence[LogicalCpu], root: Path) -> tuple[Cluster, ...]:
    """Group physical cores by kind and clock, fastest first."""
    groups: dict[tuple[str, float | None], set[tuple[str, str]]] = {}
    for cpu in cpus:
        groups.setdefault((cpu.kind, _ghz(cpu, root)), set()).add(cpu.core)
    x86 = {kind: max((g or 0.0) for k, g in groups if k == kind) for kind, _ in groups if not kind.startswith("0x")}
    joined: dict[tuple[str, float | None], set[tuple[str, str]]] = {}
    for (kind, ghz), cores in groups.items():  # momentary clocks of equal x86 cores differ; the highest one stands
        joined.setdefault((kind, x86.get(kind) or ghz), set()).update(cores)
    clusters = [Cluster(kind, len(cores), ghz) for (kind, ghz), cores in joined.items()]
    return tuple(sorted(clusters, key=lambda c: -(c.ghz or 0.0)))


def _ghz(cpu: LogicalCpu, root: Path) -> float | None:
    text = _text(root / f"sys/devices/system/cpu/cpu{cpu.number}/cpufreq/cpuinfo_max_freq").strip()
    if text.isdigit():
        return int(text) / 1e6
    return cpu.mhz / 1e3 if cpu.mhz else None


def _quota(root: Path) -> float | None:
    """Return the control group's limit in CPUs (version 2, then version 1)."""
    words = _text(root / "sys/fs/cgroup/cpu.max").split()
    if len(words) != 2:
        words = [_text(root / f"sys/fs/cgroup/cpu/cpu.cfs_{name}_us").strip() for name in ("quota", "period")]
    quota, period = words
    if quota.isdigit() and period.isdigit() and int(period) > 0:
        return int(quota) / int(period)
    return None


def _memory_mb(root: Path) -> float | None:
    found = re.search(r"MemTotal:\s*(\d+) kB", _text(root / "proc/meminfo"))
    total = int(found[1]) * 1024 / 1e6 if found else None
    limit = _text(root / "sys/fs/cgroup/memory.max").strip()
    if limit.isdigit():
        total = min(total or float("inf"), int(limit) / 1e6)
    return total


def _last_level_cache_kb(root: Path) -> float | None:
    best: tuple[int, float] | None = None
    for index in sorted((root / "sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, size = _text(index / "level").strip(), _text(index / "size").strip()
        if level.isdigit() and size[-1:] in ("K", "M") and size[:-1].isdigit():
            kilobytes = float(size[:-1]) * (1024.0 if size.endswith("M") else 1.0)
            best = max(best or (0, 0.0), (int(level), kilobytes))
    return best[1] if best else None


def _portable() -> Machine:
    """Describe macOS and Windows as far as psutil and platform tell; only instruction sets that all such CPUs have."""
    import psutil

    arch = _normal_arch(platform.machine())
    physical = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    frequency = psutil.cpu_freq() if hasattr(psutil, "cpu_freq") else None
    ghz = frequency.max / 1e3 if frequency and frequency.max else None
    apple = platform.system() == "Darwin" and arch == "aarch64"
    known = {"aarch64": ("neon", "asimdhp", "dotprod") if apple else ("neon",), "x86_64": ("sse2",)}
    return Machine(
        name=platform.processor() or platform.machine() or "this machine",
        arch=arch,
        isa=known.get(arch, ()),
        clusters=(Cluster("", physical, ghz),),
        logical=psutil.cpu_count() or physical,
        memory_mb=psutil.virtual_memory().total / 1e6,
    )
