"""The search: bisecting the strength of the structure within a budget of time."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from advisor.errors import NotApplicable
from advisor.execution.journal import TRIALS, WORK
from advisor.execution.refuse import applier
from advisor.execution.steps import Carried, Workshop
from advisor.schema import Plan, SearchRecord, Sensitivity, Trial
from advisor.techniques.subject import Subject
from advisor.uncollected import collecting

from .bench import Bench, opened
from .clock import Clock, OutOfTime, Watched
from .ladder import Ladder, ladder
from .log import Log, read_log
from .rung import try_rung
from .sparing import scan, sparing


class NothingHolds(NotApplicable):
    """No setting keeps within the limit; `record` says what was tried."""

    exit_code = 3

    def __init__(self, record: SearchRecord) -> None:
        """Take the record; the message names the setting that came nearest."""
        self.record = record
        measured = [trial for trial in record.trials if trial.drop is not None]
        nearest = min(measured, key=lambda trial: trial.drop or 0.0, default=None)
        where = "" if nearest is None else f"nearest: {nearest.plan.label} {nearest.reason}"
        super().__init__(
            f"no setting of this plan keeps within {record.max_drop:g} points ({len(record.trials)} tried)",
            where=where,
            remedy="Allow a larger loss or more time, or choose another plan; --plan 0 and upwards name them.",
        )


@dataclass(frozen=True)
class Asked:
    """What may be lost, in points, and how long the search may take, in seconds."""

    max_drop: float
    budget_s: float | None = None


def searching(asked: Asked) -> Callable[[Plan, Subject, Workshop], Carried]:
    """Return what carries a plan out by searching for its strongest setting that keeps within the limit."""

    def carry(plan: Plan, start: Subject, shop: Workshop) -> Carried:
        collecting()
        clock = Clock(asked.budget_s)
        watched = Watched(shop.progress, clock)
        file = None if shop.journal is None else shop.journal.folder / WORK / TRIALS
        with opened(start, replace(shop, progress=watched, journal=None), plan) as bench:
            record, winner = search(bench, watched, clock, asked.max_drop, read_log(file))
            return _brought_home(winner, shop)._replace(search=record)

    return carry


def search(bench: Bench, watched: Watched, clock: Clock, max_drop: float, log: Log) -> tuple[SearchRecord, Carried]:
    """Return the strongest setting that loses at most `max_drop` points on the selection images, carried out.

    Raises NothingHolds where there is none.
    """
    if not bench.data.selection:
        raise NotApplicable(
            "a limit of accuracy needs images that took part in nothing else, and none are left to choose by",
            remedy="Give more images: two of each class beside those for training, calibration and test.",
        )
    notes: list[str] = []
    parts: tuple[Sensitivity, ...] = ()
    steps = ladder(bench.plan, bench.start.workload)
    try:
        scanned = scan(bench, steps.rungs[steps.asked], clock)
        parts = tuple(told for _, told in scanned)
        if other := sparing(bench, steps, scanned):
            steps = other
            notes.append("The most sensitive layers are left as they are: at the same MACs more answers stay.")
        if not climb(bench, log, steps, clock, watched, max_drop):
            notes.append("The budget did not allow for every setting that would have been tried.")
    except OutOfTime:
        notes.append("The time was up before every setting had been tried.")
    best = log.best
    record = SearchRecord(
        max_drop=max_drop,
        metric=bench.data.task.metric,
        budget_s=clock.budget_s,
        spent_s=round(clock.spent, 1),
        selection=len(bench.data.selection),
        sensitivities=parts,
        trials=tuple(log.trials),
        chosen=None if best is None else best.number,
        notes=tuple(notes),
    )
    if best is None:
        raise NothingHolds(record)
    watched.trying, watched.stops = "the best again", False
    return record, log.held.get(best.number) or _again(bench, best)


def climb(bench: Bench, log: Log, steps: Ladder, clock: Clock, watched: Watched, max_drop: float) -> bool:
    """Try what the plan asks for first; where it holds go up, else down, each time to the middle of what is left.

    A rung is not begun when the longest one so far would not end within the budget; False where that cut it short.
    """
    low, high, level, longest = -1, len(steps.rungs), steps.asked, 0.0
    while low < level < high:
        if not clock.allows(longest):
            return False
        watched.trying = f"trial {len(log.trials) + 1}{_told(log)}"
        began = clock.spent
        holds = try_rung(bench, log, steps.rungs[level], steps.tails, max_drop)
        longest = max(longest, clock.spent - began)
        low, high = (level, high) if holds else (low, level)
        level = (low + high) // 2
    return True


def _told(log: Log) -> str:
    """Say what the best so far is."""
    best = log.best
    return "" if best is None else f", best: {best.times_as_fast:.2f}x as fast, {best.megabytes:.2f} MB"


def _again(bench: Bench, trial: Trial) -> Carried:
    """Carry a setting out that an earlier, stopped search found; the same seed gives the same network."""
    steps = trial.asked.steps
    structure = tuple(step for step in steps if applier(step).STAGE == "torch")
    tail = steps[len(structure) :]
    done = bench.carried(structure)
    return bench.carried(tail, done) if tail else done


def _brought_home(carried: Carried, shop: Workshop) -> Carried:
    """Copy the winner's files out of the folder of the search, which is about to go."""
    subject = carried.subject
    files = {name: getattr(subject, name) for name in ("onnx", "exported") if getattr(subject, name, None)}
    for name, path in files.items():
        files[name] = shop.folder / f"chosen-{name}{path.suffix}"
        files[name].write_bytes(path.read_bytes())
    return carried._replace(subject=replace(subject, folder=shop.folder, **files))
