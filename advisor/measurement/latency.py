"""Latency of two sessions, interleaved round by round so that a busy machine disturbs both alike."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median, quantiles

import numpy as np

from advisor.runtimes import Session
from advisor.schema import Measurement, Metric

ROUNDS = 9
ROUND_SECONDS = 0.1  # each session runs at least this long in a round
WARM_UP_RUNS = 3
DISAGREEMENT = 0.10  # largest tolerated difference between the ratio of medians and the ratio of minima


@dataclass(frozen=True)
class Timing:
    """Milliseconds per inference of one session, one figure a round."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Median over rounds."""
        return median(self.rounds)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Lower and upper quartile over rounds."""
        lower, _, upper = quantiles(self.rounds, n=4, method="inclusive")
        return lower, upper

    @property
    def minimum(self) -> float:
        """Fastest round."""
        return min(self.rounds)


@dataclass(frozen=True)
class Comparison:
    """Two sessions measured together; `reason` says why it is not conclusive."""

    baseline: Timing
    candidate: Timing
    threads: int
    clock: str  # "CPU time" or "wall clock"
    load: float | None
    reason: str = ""

    @property
    def conclusive(self) -> bool:
        """Whether medians and minima tell the same story."""
        return not self.reason

    @property
    def ratio(self) -> float:
        """Candidate over baseline, by medians."""
        return self.candidate.median / self.baseline.median

    def measurement(self, runtime: str, machine: str) -> Measurement:
        """Return the record of the candidate's latency."""
        low, high = self.candidate.quartiles
        load = "load average unknown" if self.load is None else f"load average {self.load:.1f}"
        return Measurement(
            metric=Metric.LATENCY,
            value=self.candidate.median,
            low=low,
            high=high,
            n=len(self.candidate.rounds),
            method=f"median {self.clock} of {len(self.candidate.rounds)} rounds interleaved with the baseline after "
            f"warm-up, {self.threads} thread(s), {load}; ratio of medians {self.ratio:.3f}, "
            f"of minima {self.candidate.minimum / self.baseline.minimum:.3f}",
            machine=machine,
            runtime=runtime,
            baseline_value=self.baseline.median,
            conclusive=self.conclusive,
            note=self.reason,
        )


def compare(
    baseline: Session, candidate: Session, threads: int, *, rounds: int | None = None, seed: int = 0
) -> Comparison:
    """Measure both sessions on random input; single-threaded runs by CPU time, which neighbours disturb less."""
    clock = time.process_time if threads == 1 else time.perf_counter
    random = np.random.default_rng(seed)
    runs: list[Callable[[], object]] = []
    for session in (baseline, candidate):
        batch = random.standard_normal(session.input_shape).astype(np.float32)
        runs.append(partial(session, batch))
    repeats = [_repeats(run) for run in runs]
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds or ROUNDS):
        for which in (0, 1) if turn % 2 == 0 else (1, 0):
            times[which].append(_round(runs[which], repeats[which], clock))
    load = load_average()
    first, second = Timing(tuple(times[0])), Timing(tuple(times[1]))
    name = "CPU time" if threads == 1 else "wall clock"
    return Comparison(first, second, threads, name, load, doubt(first, second, threads, load))


def doubt(baseline: Timing, candidate: Timing, threads: int = 1, load: float | None = None) -> str:
    """Say why a comparison is not conclusive, or return an empty string."""
    by_median = candidate.median / baseline.median
    by_minimum = candidate.minimum / baseline.minimum
    if abs(by_median - by_minimum) > DISAGREEMENT * min(by_median, by_minimum):
        busy = f" (load average {load:.1f}, {threads} threads)" if load is not None and threads > 1 else ""
        return f"the ratio of medians is {by_median:.2f}, that of minima {by_minimum:.2f}: the machine was busy{busy}"
    return ""


def load_average() -> float | None:
    """Return the load average of the last minute where the system tells it."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def _repeats(run: Callable[[], object]) -> int:
    """Warm up and find how many runs fill a round."""
    for _ in range(WARM_UP_RUNS):
        run()
    start = time.perf_counter()
    run()
    once = max(time.perf_counter() - start, 1e-6)
    return max(1, min(10_000, round(ROUND_SECONDS / once)))


def _round(run: Callable[[], object], repeats: int, clock: Callable[[], float]) -> float:
    start = clock()
    for _ in range(repeats):
        run()
    return (clock() - start) / repeats * 1e3
