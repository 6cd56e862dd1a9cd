"""What this machine is and was doing: processor, versions, clock policy, throttling, load."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .conditions import read_conditions

_PACKAGES = (
    "advisor", "torch", "torchvision", "onnxruntime", "onnx", "timm", "torch-pruning", "accelerate", "safetensors",
    "numpy",
)  # fmt: skip


def machine_name() -> str:
    """Return processor and number of logical CPUs: 'AMD EPYC (2 CPUs, x86_64)'."""
    return f"{_cpu_model()} ({os.cpu_count()} CPUs, {platform.machine()})"


def environment(threads: int) -> dict[str, str]:
    """Describe the machine as it is now; what the system does not tell is named as unknown."""
    now = read_conditions()
    found = {
        "machine": machine_name(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "threads": str(threads),
        "load_average": "unknown" if now.load is None else f"{now.load:.2f}",
        "governor": now.governor or "unknown",
        "clock_mhz": _told(now.clock_mhz),
        "temperature_c": _told(now.temperature_c),
        "throttle_events": _told(now.throttle_events),
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


def _told(value: float | None) -> str:
    return "unknown" if value is None else f"{value:g}"
