"""The fresh process of `apart.py`: load an artefact, run it, print the memory before and at the peak as JSON."""

import json
import sys
from importlib import import_module
from pathlib import Path

RUNS = 3


def resident_mb() -> float:
    """Return the resident memory of this process now, in 1e6 bytes."""
    import psutil

    return float(psutil.Process().memory_info().rss) / 1e6


def peak_mb() -> float:
    """Return the largest resident memory of this process so far; on Linux that of its own address space."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def main(arguments: list[str]) -> None:
    """Measure the artefact, runtime and threads that the command line names."""
    import numpy as np

    from advisor import runtimes

    path, name, threads = Path(arguments[0]), arguments[1], int(arguments[2])
    runtime = runtimes.get(name)
    import_module(runtime.module)
    before = resident_mb()
    session = runtime.load(path, threads)
    batch = np.zeros(session.input_shape, dtype=np.float32)
    for _ in range(RUNS):
        session(batch)
    sys.stdout.write(json.dumps({"runtime_mb": before, "peak_mb": peak_mb()}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
