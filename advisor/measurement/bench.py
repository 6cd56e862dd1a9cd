"""Any number of artefacts measured side by side; the first is what the others are compared with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np

from advisor import runtimes
from advisor.errors import GoalError, NotApplicable, RunError
from advisor.progress import Progress, Silent
from advisor.runtimes import Runtime
from advisor.runtimes.apart import check_survives
from advisor.schema import BenchEntry, BenchRecord

from .conditions import told
from .latency import DISAGREEMENT, FEWEST_ROUNDS, Sitting, Timing, doubt, sit
from .machine import environment
from .memory import MemoryUse, peak_memory
from .size import file_mb, sha256

RESAMPLES = 2000


@dataclass(frozen=True)
class Entrant:
    """An artefact to measure: its name in the table, its file, and the runtime that opens it."""

    name: str
    file: Path
    runtime: Runtime


def entrant(file: Path, runtime: str | None = None, name: str = "") -> Entrant:
    """Return an artefact with its runtime: the one named, else the first whose files end like this one."""
    if not file.exists():
        raise RunError(f"{file} does not exist", remedy="Give artefacts, or folders that 'apply' wrote.")
    if runtime is not None:
        return Entrant(name or file.name, file, runtimes.get(runtime))
    for known in runtimes.names():
        try:
            found = runtimes.get(known)
        except NotApplicable:
            continue  # not installed, so it opens nothing
        if found.suffix == file.suffix:
            return Entrant(name or file.name, file, found)
    raise RunError(
        f"no runtime here opens {file.name}",
        remedy=f"Runtimes here: {', '.join(runtimes.names())}; --runtime names one.",
    )


def bench(
    entrants: Sequence[Entrant],
    threads: int = 1,
    *,
    rounds: int | None = None,
    memory: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> BenchRecord:
    """Measure latency interleaved, then memory in fresh processes; at least seven rounds."""
    progress = progress or Silent()
    if rounds is not None and rounds < FEWEST_ROUNDS:
        raise GoalError(f"{rounds} rounds are too few", remedy=f"Give {FEWEST_ROUNDS} or more.")
    for one in entrants:
        check_survives(one.file, one.runtime.name, threads)
    sessions = [one.runtime.load(one.file, threads) for one in entrants]
    shapes = [session.input_shape for session in sessions]
    sat = sit(sessions, threads, rounds=rounds, seed=seed, progress=progress)
    del sessions
    used: list[MemoryUse | None] = [None] * len(entrants)
    if memory:
        progress.start("measure memory", len(entrants))
        for index, one in enumerate(entrants):
            used[index] = peak_memory(one.file, one.runtime.name, threads)
            progress.advance(note=one.name)
        progress.finish()
    return BenchRecord(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        threads=threads,
        clock=sat.clock,
        rounds=len(sat.timings[0].rounds),
        environment=environment(threads),
        conditions=told(sat.before, sat.after),
        meter=sat.meter,
        entries=tuple(
            _entry(one, shape, sat, index, used[index])
            for index, (one, shape) in enumerate(zip(entrants, shapes, strict=True))
        ),
    )


def _entry(one: Entrant, shape: tuple[int, ...], sat: Sitting, index: int, used: MemoryUse | None) -> BenchEntry:
    first, own = sat.timings[0], sat.timings[index]
    low, high = own.quartiles
    compared = {} if index == 0 else _ratios(first, own)
    return BenchEntry(
        name=one.name,
        file=str(one.file),
        sha256=sha256(one.file) if one.file.is_file() else "",
        size_mb=sum(file_mb(part) for part in one.runtime.files(one.file)),
        runtime=f"{one.runtime.name} {one.runtime.version()}",
        input_shape=shape,
        rounds_ms=own.rounds,
        median_ms=own.median,
        low_ms=low,
        high_ms=high,
        minimum_ms=own.minimum,
        peak_mb=used.peak_mb if used else None,
        runtime_mb=used.runtime_mb if used else None,
        energy_mj=median(own.energy) if own.energy else None,
        doubt=_doubt(first, own, sat, index),
        **compared,
    )


def _ratios(first: Timing, own: Timing) -> dict[str, float]:
    low, high = ratio_interval(first, own)
    return {
        "ratio": own.median / first.median,
        "ratio_low": low,
        "ratio_high": high,
        "ratio_of_minima": own.minimum / first.minimum,
    }


def ratio_interval(first: Timing, own: Timing) -> tuple[float, float]:
    """Return the 95 % interval of the ratio of medians; a round of both is drawn together, as it was measured."""
    drawn = np.random.default_rng(0).integers(0, len(own.rounds), (RESAMPLES, len(own.rounds)))
    ratios = np.median(np.asarray(own.rounds)[drawn], axis=1) / np.median(np.asarray(first.rounds)[drawn], axis=1)
    low, high = np.quantile(ratios, (0.025, 0.975))
    return float(low), float(high)


def _doubt(first: Timing, own: Timing, sat: Sitting, index: int) -> str:
    """Say why an artefact's figures are in doubt: against the first one, or by itself where it is the first."""
    if index:
        return doubt(first, own, sat.threads, sat.after.load) or sat.disturbed
    return unsteady(own) or sat.disturbed


def unsteady(own: Timing) -> str:
    """Say that a single artefact's median and minimum are too far apart, or return an empty string."""
    if own.median > (1 + DISAGREEMENT) * own.minimum:
        return f"its median is {own.median / own.minimum - 1:.0%} above its minimum: the machine was busy"
    return ""
