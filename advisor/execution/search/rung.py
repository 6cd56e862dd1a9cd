"""Trying one rung: look at the untrained structure, train it if that is worth it, then quantize as far as it holds."""

from collections.abc import Sequence

from advisor.execution.refuse import applier
from advisor.execution.steps import Carried
from advisor.schema import Step

from .bench import Bench
from .log import Costs, Log, costs_of

NO_GAIN = "exported and timed before any training, it is neither smaller nor faster than what holds already"
GAIN = 1.02  # what is no smaller and no faster than the best so far by this factor is not trained

Steps = tuple[Step, ...]


def try_rung(bench: Bench, log: Log, structure: Steps, tails: Sequence[Steps], limit: float) -> bool:
    """Return whether the structure holds, and find the strongest of its tails that does.

    What the structure loses in float no quantization gives back, so the float file is judged before any of them. Trials
    that an earlier, stopped search brought to an end are taken from the log.
    """
    rung = _Rung(bench, log, structure, tails[0], limit)
    quantized = [tail for tail in tails if tail]
    if structure and () in tails and not rung.holds(()):
        return False
    held = any(rung.holds(tail) for tail in quantized)
    if not held and quantized:
        held = any(rung.holds((*quantized[0][:-1], step)) for step in rung.mixed(quantized[0][-1]))
    return held or bool(structure and () in tails)


class _Rung:
    """One structure, carried out when the first of its tails has to be tried."""

    def __init__(self, bench: Bench, log: Log, structure: Steps, first: Steps, limit: float) -> None:
        self.bench, self.log, self.structure, self.first, self.limit = bench, log, structure, first, limit
        self._agreement: float | None = None
        self._done: Carried | None = None
        self._failed = False

    def holds(self, tail: Steps) -> bool:
        """Try a tail, or look up how it ended."""
        if known := self.log.known(self.bench.planned(self.structure, tail)):
            return known.outcome == "holds"
        done = self._carried(tail)
        return done is not None and _try_tail(
            self.bench, self.log, done, (self.structure, tail), self.limit, self._agreement
        )

    def mixed(self, step: Step) -> Steps:
        """Return the step with more and more layers in float, the most sensitive ones first."""
        done = self._carried(self.first)
        return () if done is None else self.bench.mixed(done, step)

    def _carried(self, tail: Steps) -> Carried | None:
        """Carry the structure out once, trained, if a look at the untrained one says that it is worth it."""
        if self._done is None and not self._failed:
            worth = True
            if _is_trained(self.structure):
                worth, self._agreement = _look(self.bench, self.log, self.structure, tail)
            if worth:
                self._done = _structure(self.bench, self.log, self.structure, tail, self._agreement)
            self._failed = self._done is None
        return self._done


def _look(bench: Bench, log: Log, structure: Steps, tail: Steps) -> tuple[bool, float | None]:
    """Cut, export and time without training; note only what is not worth training for."""
    agreement = None
    worth = False
    with log.trial(bench.planned(structure, tail)) as found:
        quick = bench.untrained(structure)
        file = bench.file(quick)
        costs, agreement = bench.costs(quick, file), bench.agreement(file)
        found.update({"agreement": agreement, **vars(costs)})
        worth = not _no_gain(bench, costs, log)
        found.update({"outcome": "untold"} if worth else {"outcome": "no gain", "reason": NO_GAIN})
    return worth, agreement


def _no_gain(bench: Bench, costs: Costs, log: Log) -> bool:
    """Whether a structure is neither smaller nor faster than the best structure in float that holds."""
    known = max((bench.original, *(costs_of(one) for one in log.in_float)), key=lambda one: one.gain)
    return costs.times_as_fast < GAIN * known.times_as_fast and known.megabytes < GAIN * costs.megabytes


def _structure(bench: Bench, log: Log, structure: Steps, tail: Steps, agreement: float | None) -> Carried | None:
    """Carry the structure out with its training; a refusal is noted."""
    done = None
    with log.trial(bench.planned(structure, tail)) as found:
        found["agreement"] = agreement
        done = bench.carried(structure)
        found["outcome"] = "untold"
    return done


def _try_tail(
    bench: Bench, log: Log, structure: Carried, asked: tuple[Steps, Steps], limit: float, agreement: float | None
) -> bool:
    """Quantize, measure the file on the selection images, note what came out."""
    holds = False
    with log.trial(bench.planned(*asked)) as found:
        found["agreement"] = agreement
        done = bench.carried(asked[1], structure) if asked[1] else structure
        file = bench.file(done)
        costs, loss = bench.costs(done, file), bench.loss(file)
        holds = loss.within(limit)
        found.update({"plan": done.plan, **vars(costs), "drop": loss.drop, "standard_error": loss.standard_error})
        found.update({"images": loss.images, "reason": loss.told, "outcome": "holds" if holds else "breaks"})
        if holds:
            log.hold(done)
    return holds


def _is_trained(structure: Steps) -> bool:
    """Whether a look at the untrained network tells anything: not of students, which start from nothing."""
    return any(getattr(step, "epochs", 0) for step in structure) and not any(
        getattr(applier(step), "TAUGHT", False) for step in structure
    )
