"""What this machine is and was doing: processor, versions, clock policy, throttling, load."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .latency import load_average

_PACKAGES = (
    "advisor", "torch", "torchvision", "onnxruntime", "onnx", "timm", "torch-pruning", "accelerate", "safetensors",
    "numpy",
)  # fmt: skip
_POLICY = Path("/sys/devices/system/cpu/cpu0/cpufreq")
_THROTTLE = Path("/sys/devices/system/cpu/cpu0/thermal_throttle")


def machine_name() -> str:
    """Return processor and number of logical CPUs: 'AMD EPYC (2 CPUs, x86_64)'."""
    return f"{_cpu_model()} ({os.cpu_count()} CPUs, {platform.machine()})"


def environment(threads: int) -> dict[str, str]:
    """Describe the machine as it is now; what the system does not tell is named as unknown."""
    load = load_average()
    found = {
        "machine": machine_name(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "threads": str(threads),
        "load_average": "unknown" if load is None else f"{load:.2f}",
        "governor": _read(_POLICY / "scaling_governor"),
        "clock_mhz": _megahertz(_read(_POLICY / "scaling_cur_freq")),
        "throttle_events": _read(_THROTTLE / "core_throttle_count"),
    }
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(errors="replace").splitlines():
            if line.lower().startswith(("model name", "hardware")):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return "unknown"


def _megahertz(kilohertz: str) -> str:
    return str(int(kilohertz) // 1000) if kilohertz.isdigit() else kilohertz
