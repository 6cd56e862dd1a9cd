"""Peak memory of a fresh process that loads an artefact and runs it, split into the runtime and the model's part."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from advisor.cpus import open_cpus
from advisor.runtimes.apart import run_apart
from advisor.schema import Measurement, Metric

PROCESSES = 2
MORE_PROCESSES = 3  # where the first differ
ALIKE = 0.01  # largest peak over smallest, less one; of the same file in the same runtime they differ by 0.1 %
AT_ONCE = 2  # probes; resident memory does not depend on what runs beside, but large models have to fit together


@dataclass(frozen=True)
class MemoryUse:
    """Megabytes (1e6 bytes) of resident memory: of the process at its peak, and of the runtime before the model."""

    peaks_mb: tuple[float, ...]
    runtime_mb: float

    @property
    def peak_mb(self) -> float:
        """Median peak over processes."""
        return median(self.peaks_mb)

    @property
    def model_mb(self) -> float:
        """What the model added to the runtime."""
        return self.peak_mb - self.runtime_mb

    def measurement(self, runtime: str, machine: str, baseline: "MemoryUse | None" = None) -> Measurement:
        """Return the record of the peak."""
        before = f", baseline {baseline.model_mb:.1f} MB" if baseline else ""
        return Measurement(
            metric=Metric.MEMORY,
            value=self.peak_mb,
            low=min(self.peaks_mb),
            high=max(self.peaks_mb),
            n=len(self.peaks_mb),
            method=f"peak resident memory of a fresh process that loads and runs the artefact, {len(self.peaks_mb)} "
            "processes",
            machine=machine,
            runtime=runtime,
            baseline_value=baseline.peak_mb if baseline else None,
            note=f"model part {self.model_mb:.1f} MB{before}; Python and runtime alone {self.runtime_mb:.1f} MB",
        )


def peak_memory(path: Path, runtime: str, threads: int = 1, *, processes: int | None = None) -> MemoryUse:
    """Run the probe in fresh processes, several at a time as CPUs allow; the median peak counts.

    Without a number of processes there are two, and five where those two differ.
    """
    with ThreadPoolExecutor(min(AT_ONCE, open_cpus())) as pool:
        readings = list(pool.map(lambda _: run_apart(path, runtime, threads), range(processes or PROCESSES)))
        peaks = [r["peak_mb"] for r in readings]
        if processes is None and max(peaks) > (1 + ALIKE) * min(peaks):
            readings += pool.map(lambda _: run_apart(path, runtime, threads), range(MORE_PROCESSES))
    return MemoryUse(tuple(r["peak_mb"] for r in readings), median(r["runtime_mb"] for r in readings))
