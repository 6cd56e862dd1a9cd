"""Timing the calibration set: all sessions in turn, round after round, so that a busy minute disturbs all alike.

A reference network runs beside every round. Where it takes longer than usual, the machine was slower just then (clock,
neighbours), and the round is scaled to the machine's usual speed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from advisor.progress import Progress
from advisor.schema import Workload

from .artefacts import Artefact
from .timer import NodeTime, Round, Timer

ROUNDS = 3
ROUND_SECONDS = 0.03
REFERENCE = "conv3-256@14"  # timed in float beside every round
_REFERENCE_SECONDS = 0.006
_TYPICAL = 0.25  # quantile of a round's runs that stands for them: disturbances only ever add time


@dataclass(frozen=True)
class Sample:
    """A network in one form with its time: milliseconds (median of its rounds) and how far the rounds spread.

    `nodes` are the times of its operations where the runtime tells them, else empty.
    """

    probe: str
    family: str
    form: str
    threads: int
    workload: Workload
    ms: float
    spread: float  # (upper - lower quartile) / median
    nodes: tuple[NodeTime, ...] = ()
    block: int = 16  # channels per block in the layout that the runtime prefers on this CPU


@dataclass(frozen=True)
class Collected:
    """All samples; by number of threads, how much the reference varied (90 % over 10 % quantile) and its usual ms."""

    samples: tuple[Sample, ...]
    clock_spread: dict[int, float]
    reference_ms: dict[int, float]


def collect(
    made: Sequence[Artefact], timer: Timer, threads: Iterable[int], progress: Progress, *, rounds: int = ROUNDS
) -> Collected:
    """Time every artefact with every number of threads."""
    found: list[Sample] = []
    spreads: dict[int, float] = {}
    usual: dict[int, float] = {}
    reference = next((a for a in made if (a.probe, a.form) == (REFERENCE, "fp32")), made[0])
    for count in threads:
        progress.start(f"timing with {count} thread{'s' * (count > 1)}", len(made) * (rounds + 1))
        runs, nodes = [], []
        for artefact in made:
            runs.append(timer.open(artefact.model, count))
            # Operations are told apart with one thread; what more threads gain is read off whole networks.
            nodes.append(timer.nodes(artefact.model, count) if count == 1 else ())
            progress.advance(note=f"{artefact.probe} {artefact.form}")
        clock = Reference(timer.open(reference.model, count))
        taken: list[list[tuple[float, tuple[float, ...]]]] = [[] for _ in made]
        for turn in range(rounds):
            for i in range(len(made)) if turn % 2 == 0 else reversed(range(len(made))):
                taken[i].append(clock.beside(runs[i]))
                progress.advance(note=f"{made[i].probe} {made[i].form}")
        for artefact, mine, its in zip(made, taken, nodes, strict=True):
            ms, spread = clock.typical(mine)
            found.append(Sample(artefact.probe, artefact.family, artefact.form, count, artefact.workload, ms, spread,
                                its, timer.block))  # fmt: skip
        spreads[count], usual[count] = clock.spread, clock.usual
        progress.finish()
    return Collected(tuple(found), spreads, usual)


class Reference:
    """A network that tells how fast the machine is at a moment."""

    def __init__(self, run: Round) -> None:
        """Take the reference's runs."""
        self._run = run
        self._seen: list[float] = []

    def beside(self, run: Round, seconds: float = ROUND_SECONDS) -> tuple[float, tuple[float, ...]]:
        """Time one round between two looks at the reference; return the reference's ms with the round's."""
        before = self._look()
        times = run(seconds)
        return (before + self._look()) / 2, times

    def _look(self) -> float:
        ms = float(np.quantile(self._run(_REFERENCE_SECONDS), _TYPICAL))
        self._seen.append(ms)
        return ms

    @property
    def usual(self) -> float:
        """Median of the reference's times."""
        return float(np.median(self._seen))

    @property
    def spread(self) -> float:
        """90 % over 10 % quantile of the reference's times."""
        low, high = np.quantile(self._seen, (0.1, 0.9))
        return float(high / low)

    def typical(self, rounds: Sequence[tuple[float, tuple[float, ...]]]) -> tuple[float, float]:
        """Return milliseconds at the machine's usual speed (median of the rounds), and how far the rounds spread."""
        scaled = [float(np.quantile(times, _TYPICAL)) * self.usual / beside for beside, times in rounds]
        low, middle, high = np.quantile(scaled, (0.25, 0.5, 0.75))
        return float(middle), float((high - low) / middle)
