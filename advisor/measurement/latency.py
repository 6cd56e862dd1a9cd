"""Latency of sessions, interleaved round by round so that a busy machine disturbs all alike."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median, quantiles

import numpy as np

from advisor.progress import Progress, Silent
from advisor.runtimes import Session
from advisor.schema import Measurement, Metric

from .conditions import Conditions, disturbance, load_average, read_conditions, told
from .energy import Meter, find_meter

ROUNDS = 7
FEWEST_ROUNDS = 7
MOST_ROUNDS = 27  # while a busy machine has not told a clear story
ROUND_SECONDS = 0.04  # each session runs about this long in a round; longer ones told ratios no more precisely
METERED_SECONDS = 0.1  # where a power sensor is read meanwhile, twenty times a second
WARM_UP_RUNS = 3
DISAGREEMENT = 0.10  # largest tolerated difference between the ratio of medians and the ratio of minima
SETTLED = 0.05  # with less than that, more rounds would teach nothing

_Taken = tuple[list[float], list[float]]  # milliseconds and millijoules by round

__all__ = ["Comparison", "Sitting", "Timing", "compare", "doubt", "load_average", "sit"]


@dataclass(frozen=True)
class Timing:
    """Milliseconds per inference of one session, one figure a round; millijoules where a meter was there."""

    rounds: tuple[float, ...]
    energy: tuple[float, ...] = ()

    @property
    def median(self) -> float:
        """Median over rounds."""
        return median(self.rounds)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Lower and upper quartile over rounds."""
        return _quartiles(self.rounds)

    @property
    def minimum(self) -> float:
        """Fastest round."""
        return min(self.rounds)


@dataclass(frozen=True)
class Sitting:
    """Sessions that were measured together, in the order they were given, and the machine before and after."""

    timings: tuple[Timing, ...]
    threads: int
    clock: str  # "CPU time" or "wall clock"
    before: Conditions
    after: Conditions
    meter: str = ""  # where energy was read, empty without a meter

    @property
    def disturbed(self) -> str:
        """What slowed the machine down meanwhile, or an empty string."""
        return disturbance(self.before, self.after, cpu_time=self.threads == 1)


@dataclass(frozen=True)
class Comparison:
    """Two sessions measured together; `reason` says why it is not conclusive."""

    sitting: Sitting
    reason: str = ""

    @property
    def baseline(self) -> Timing:
        """The first session."""
        return self.sitting.timings[0]

    @property
    def candidate(self) -> Timing:
        """The second session."""
        return self.sitting.timings[1]

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
        sat = self.sitting
        return Measurement(
            metric=Metric.LATENCY,
            value=self.candidate.median,
            low=low,
            high=high,
            n=len(self.candidate.rounds),
            method=f"median {sat.clock} of {len(self.candidate.rounds)} rounds interleaved with the baseline after "
            f"warm-up, {sat.threads} thread(s), {told(sat.before, sat.after)}; ratio of medians {self.ratio:.3f}, "
            f"of minima {self.candidate.minimum / self.baseline.minimum:.3f}",
            machine=machine,
            runtime=runtime,
            baseline_value=self.baseline.median,
            conclusive=self.conclusive,
            note=self.reason,
        )

    def energy(self, runtime: str, machine: str) -> Measurement | None:
        """Return the record of the candidate's energy; None where nothing measures it here."""
        if not self.candidate.energy:
            return None
        low, high = _quartiles(self.candidate.energy)
        return Measurement(
            metric=Metric.ENERGY,
            value=median(self.candidate.energy),
            low=low,
            high=high,
            n=len(self.candidate.energy),
            method=f"median of {len(self.candidate.energy)} rounds by {self.sitting.meter}, idle power and other "
            "processes included",
            machine=machine,
            runtime=runtime,
            baseline_value=median(self.baseline.energy),
            conclusive=self.conclusive,
            note=self.reason,
        )


def compare(
    baseline: Session, candidate: Session, threads: int, *, rounds: int | None = None, seed: int = 0
) -> Comparison:
    """Measure both sessions on random input; single-threaded runs by CPU time, which neighbours disturb less."""
    sat = sit((baseline, candidate), threads, rounds=rounds, seed=seed)
    first, second = sat.timings
    return Comparison(sat, doubt(first, second, threads, sat.after.load) or sat.disturbed)


def sit(
    sessions: Sequence[Session],
    threads: int,
    *,
    rounds: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Sitting:
    """Measure sessions together on random input: every round runs all, in turn forwards and backwards.

    Without a number of rounds there are `ROUNDS`, and up to `MOST_ROUNDS` while medians and minima disagree.
    """
    progress = progress or Silent()
    clock = time.process_time if threads == 1 else time.perf_counter
    runs = [_fed(session, seed) for session in sessions]
    progress.start("measure latency", rounds or ROUNDS)
    meter = find_meter()
    repeats = [_repeats(run, METERED_SECONDS if meter else ROUND_SECONDS) for run in runs]
    before = read_conditions()
    found: list[_Taken] = [([], []) for _ in runs]

    def play(turn: int) -> None:
        for which in range(len(runs)) if turn % 2 == 0 else reversed(range(len(runs))):
            ms, mj = _round(runs[which], repeats[which], clock, meter)
            found[which][0].append(ms)
            found[which][1].extend(mj)
        progress.advance()

    for turn in range(rounds or ROUNDS):
        play(turn)
    progress.finish()
    if rounds is None and not _settled(found):
        progress.start("measure latency for longer, the machine is busy", MOST_ROUNDS - ROUNDS)
        for turn in range(ROUNDS, MOST_ROUNDS):
            play(turn)
            if _settled(found):
                break
        progress.finish()
    timings = tuple(Timing(tuple(times), tuple(energy)) for times, energy in found)
    name = "CPU time" if threads == 1 else "wall clock"
    return Sitting(timings, threads, name, before, read_conditions(), meter.source if meter else "")


def doubt(baseline: Timing, candidate: Timing, threads: int = 1, load: float | None = None) -> str:
    """Say why a comparison is not conclusive, or return an empty string."""
    by_median = candidate.median / baseline.median
    by_minimum = candidate.minimum / baseline.minimum
    if abs(by_median - by_minimum) > DISAGREEMENT * min(by_median, by_minimum):
        busy = f" (load average {load:.1f}, {threads} threads)" if load is not None and threads > 1 else ""
        return f"the ratio of medians is {by_median:.2f}, that of minima {by_minimum:.2f}: the machine was busy{busy}"
    return ""


def _settled(found: Sequence[_Taken]) -> bool:
    """Whether medians and minima tell the same story of every pair of sessions, or of the only one."""
    above = [median(times) / min(times) for times, _ in found]
    above += [1.0] * (len(found) == 1)
    return max(above) <= (1 + SETTLED) * min(above)


def _fed(session: Session, seed: int) -> Callable[[], object]:
    batch = np.random.default_rng(seed).standard_normal(session.input_shape).astype(np.float32)
    return partial(session, batch)


def _repeats(run: Callable[[], object], seconds: float) -> int:
    """Warm up and find how many runs fill a round."""
    for _ in range(WARM_UP_RUNS):
        run()
    start = time.perf_counter()
    run()
    once = max(time.perf_counter() - start, 1e-6)
    return max(1, min(10_000, round(seconds / once)))


def _round(
    run: Callable[[], object], repeats: int, clock: Callable[[], float], meter: Meter | None
) -> tuple[float, list[float]]:
    """Return milliseconds per run, and millijoules per run where they are measured."""
    taken = [0.0]

    def work() -> None:
        start = clock()
        for _ in range(repeats):
            run()
        taken[0] = clock() - start

    energy = [] if meter is None else [meter.joules(work) / repeats * 1e3]
    if meter is None:
        work()
    return taken[0] / repeats * 1e3, energy


def _quartiles(values: tuple[float, ...]) -> tuple[float, float]:
    lower, _, upper = quantiles(values, n=4, method="inclusive")
    return lower, upper
