"""A calibration from beginning to end: make the networks, time them, fit the costs, judge them on what was left out."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime

from advisor.devices.machine import read_machine
from advisor.errors import RunError
from advisor.progress import Progress, Silent
from advisor.schema.calibration import Calibration
from advisor.uncollected import collecting

from .artefacts import Artefact, prepared
from .collect import ROUNDS, Collected, collect
from .fit import equations, fitted, scaled_table
from .judge import errors, left_out_tables
from .learned import judged
from .probes import probes
from .timer import HostTimer, Timer

_QUICK_ROUNDS = 3
_FEWEST = 8  # artefacts below which no fit is worth its name


def calibrate(
    *,
    quick: bool = False,
    progress: Progress | None = None,
    timer: Timer | None = None,
    threads: Sequence[int] = (),
) -> Calibration:
    """Calibrate this machine for ONNX Runtime with one thread and with all.

    `timer` may stand for another machine, whose numbers of threads are then stated (1 among them).
    """
    collecting()
    progress = progress or Silent()
    made = _made(quick, progress)
    if len(made) < _FEWEST:
        raise RunError("too few networks could be exported to calibrate with", remedy="Check torch and onnx.")
    timer = timer or HostTimer()
    counts = sorted({1, *(threads or (usable_threads(),))})
    found = collect(made, timer, counts, progress, rounds=_QUICK_ROUNDS if quick else ROUNDS)
    progress.start("fitting")
    return condensed(found, counts, timer.describe())


def usable_threads() -> int:
    """Return the physical cores that this process may use."""
    return max(1, sum(cluster.cores for cluster in read_machine().clusters))


def _made(quick: bool, progress: Progress) -> list[Artefact]:
    progress.start("making networks", len(probes(quick)))
    made: list[Artefact] = []
    for probe, artefacts in prepared(quick, workers=min(4, os.cpu_count() or 1)):
        made += artefacts
        progress.advance(note=probe.name)
    return made


def condensed(found: Collected, counts: Sequence[int], machine: dict[str, str]) -> Calibration:
    """Fit and judge collected samples; `machine` is the timer's description."""
    single = [s for s in found.samples if s.threads == 1]
    system = equations(single)
    base = fitted(system)
    tables, unseen = [base], left_out_tables(system, sorted({s.family for s in single}))
    held_out = list(errors(found.samples, unseen, 1))
    for count in counts:
        if count > 1:
            mine = [s for s in found.samples if s.threads == count]
            tables.append(scaled_table(base, mine, count))
            held_out += errors(found.samples, unseen, count)
    return Calibration(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        cpu=machine["cpu"],
        runtime="onnxruntime",
        runtime_version=machine["onnxruntime"],
        machine=machine,
        clock_spread={count: round(spread, 3) for count, spread in found.clock_spread.items()},
        reference_ms={count: round(ms, 5) for count, ms in found.reference_ms.items()},
        samples=len(found.samples),
        tables=tuple(tables),
        errors=tuple(held_out),
        remarks=(*_busy(found.clock_spread), judged(single, unseen), _HALF),
    )


def _busy(spread: dict[int, float]) -> tuple[str, ...]:
    """Say so where other work disturbed the timing."""
    worst = max(spread.values(), default=1.0)
    if worst <= _STEADY:
        return ()
    return (
        f"the machine was busy: the same network took {worst:.2f} times as long at times; calibrate again when idle",
    )


_STEADY = 1.25  # 90 % over 10 % quantile of the reference network's times
_HALF = "fp16 and bf16 were not timed, and are not predicted from a calibration"
