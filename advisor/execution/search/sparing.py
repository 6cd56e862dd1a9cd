"""Leaving the most sensitive parts of a network as they are, where that keeps more answers at the same number of MACs.

Every part is changed alone, without training, and the answers on the selection images are compared with the original's.
"""

from dataclasses import dataclass, replace

from advisor.errors import AdvisorError
from advisor.schema import Sensitivity, Step

from .bench import Bench
from .clock import Clock
from .ladder import Ladder, dials

SCAN_SHARE = 0.15  # of the budget, at most, that goes into looking at single parts
SHARE_OF_HARM = 0.5  # the parts that are spared do this share of all harm
MOST_SPARED = 1 / 3  # of the parts: more would leave too little to take away
FEWEST_PARTS = 3


@dataclass(frozen=True)
class Part:
    """Layers that one setting changes together, by module path."""

    step: Step
    paths: tuple[str, ...]


def scan(
    bench: Bench, steps: tuple[Step, ...], clock: Clock, share: float = SCAN_SHARE
) -> tuple[tuple[Part, Sensitivity], ...]:
    """Change each part alone as the steps ask, and say how many answers stayed; unfinished where the time is up.

    `share` of the clock's budget may be spent when the last part is begun.
    """
    found = []
    for step in steps:
        parts = _parts(bench, step)
        if len(parts) < FEWEST_PARTS:
            continue
        everything = {path for part in parts for path in part.paths}
        bench.shop.progress.start(f"how sensitive is each of {len(parts)} parts", len(parts))
        for part in parts:
            if clock.budget_s is not None and clock.spent > share * clock.budget_s:
                break
            alone = step.model_copy(update={"keep": tuple(sorted(everything - set(part.paths)))})
            agreement = _agreement(bench, (alone,))
            if agreement is not None:
                told = Sensitivity(part=part.paths[0], technique=step.technique, agreement=agreement)
                found.append((part, told))
            bench.shop.progress.advance()
        bench.shop.progress.finish()
    return tuple(found)


def sparing(bench: Bench, ladder: Ladder, scanned: tuple[tuple[Part, Sensitivity], ...]) -> Ladder | None:
    """Return the ladder with the most sensitive parts kept, None where that is no better at the same MACs."""
    kept = _most_sensitive(scanned)
    if not kept:
        return None
    rungs = tuple(tuple(_keeping(step, kept) for step in rung) for rung in ladder.rungs)
    plain = _probe(bench, ladder.rungs[ladder.asked])
    if plain is None:
        return None
    for level in range(ladder.asked, len(rungs)):
        other = _probe(bench, rungs[level])
        if other is not None and other[0] <= plain[0]:
            return replace(ladder, rungs=rungs, asked=level) if other[1] > plain[1] else None
    return None


def _most_sensitive(scanned: tuple[tuple[Part, Sensitivity], ...]) -> dict[str, tuple[str, ...]]:
    """Return by technique the layers to keep: the fewest parts that do half of the harm, at most a third of all."""
    harm = sorted(scanned, key=lambda one: one[1].agreement)
    total = sum(100 - told.agreement for _, told in harm)
    kept: dict[str, tuple[str, ...]] = {}
    done = 0.0
    for part, told in harm[: int(len(harm) * MOST_SPARED)]:
        if done >= SHARE_OF_HARM * total:
            break
        kept[part.step.technique] = (*kept.get(part.step.technique, ()), *part.paths)
        done += 100 - told.agreement
    return kept


def _keeping(step: Step, kept: dict[str, tuple[str, ...]]) -> Step:
    paths = kept.get(step.technique)
    return step if paths is None else step.model_copy(update={"keep": (*step.keep, *paths)})  # type: ignore[attr-defined]


def _probe(bench: Bench, steps: tuple[Step, ...]) -> tuple[int, float] | None:
    """Return MACs and agreement of steps carried out without training."""
    try:
        done = bench.untrained(steps)
    except AdvisorError:
        return None
    agreement = bench.agreement(bench.file(done))
    macs = done.subject.workload.macs if done.subject.workload else None
    return None if agreement is None or macs is None else (macs, agreement)


def _agreement(bench: Bench, steps: tuple[Step, ...]) -> float | None:
    found = _probe(bench, steps)
    return None if found is None else found[1]


def _parts(bench: Bench, step: Step) -> tuple[Part, ...]:
    """Return what the step changes, part by part; nothing where it cannot leave single parts out."""
    module = dials(step)
    if not hasattr(module, "parts") or bench.start.workload is None:
        return ()
    return tuple(Part(step, tuple(paths)) for paths in module.parts(step, bench.start.workload))
