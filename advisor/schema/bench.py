"""Artefacts measured side by side on one machine: what each took, and the ratios to the first."""

from .base import Record


class BenchEntry(Record):
    """One artefact. Times are milliseconds per inference, memory 1e6 bytes; ratios are this one over the first."""

    name: str
    file: str
    sha256: str
    size_mb: float
    runtime: str  # name and version
    input_shape: tuple[int, ...]
    rounds_ms: tuple[float, ...]
    median_ms: float
    low_ms: float  # quartiles over rounds
    high_ms: float
    minimum_ms: float
    ratio: float | None = None  # of medians; None for the first
    ratio_low: float | None = None  # 95 % interval, from resampling rounds
    ratio_high: float | None = None
    ratio_of_minima: float | None = None
    peak_mb: float | None = None
    runtime_mb: float | None = None  # of the peak: the process with the runtime, before the model
    energy_mj: float | None = None
    doubt: str = ""  # why the figures are not conclusive


class BenchRecord(Record):
    """A sitting of `advisor bench`."""

    version: int = 1
    created: str
    threads: int
    clock: str
    rounds: int
    environment: dict[str, str]
    conditions: str  # what the machine was doing, in words
    meter: str = ""  # where energy was read
    entries: tuple[BenchEntry, ...]

    @property
    def conclusive(self) -> bool:
        """Whether no figure is in doubt."""
        return not any(entry.doubt for entry in self.entries)
