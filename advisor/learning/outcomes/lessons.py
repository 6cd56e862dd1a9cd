"""From the outcomes of a device to lessons for its predictions, and the list of what was set aside."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import log
from statistics import NormalDist

from advisor.prediction.calibrated import Calibrated
from advisor.prediction.seen import deviations
from advisor.schema import Lesson, Metric

from .doubts import DOUBTED, Doubt, own_doubt, unconfirmed, unit_mistake
from .outcome import Figure, Outcome
from .reading import PORTABLE, UNKNOWN, Reading, readings
from .shrinkage import Error, Kind, Shrunk, shrink

LATEST = 200  # outcomes of one metric and predictor that are weighed: older ones tell of older versions
_LEARNT = frozenset({Metric.LATENCY, Metric.SIZE, Metric.MEMORY, Metric.ENERGY, Metric.FLASH, Metric.ACCURACY})
_NOISIEST = 1e3  # claimed deviations: such a measurement tells nothing, and its square can still be reckoned with
_Z95, _Z50 = NormalDist().inv_cdf(0.975), NormalDist().inv_cdf(0.75)


@dataclass(frozen=True)
class Sighting:
    """One figure of an outcome as an error of the predictor."""

    outcome: Outcome
    figure: Figure
    error: Error


@dataclass(frozen=True)
class Learned:
    """Lessons for one device, and the figures that were left out of them."""

    lessons: tuple[Lesson, ...]
    doubts: tuple[Doubt, ...]
    outcomes: int  # that taught something


def learn(outcomes: Sequence[Outcome], device: str, machine: str = "", calibrated: str = "") -> Learned:
    """Return what outcomes teach of predictions for a device; of 'host' those of this processor alone count.

    Size and accuracy are learnt from outcomes of every device. What an earlier calibration than that of the time
    `calibrated` predicted says nothing of the present one.
    """
    doubts: list[Doubt] = []
    groups: dict[tuple[Metric, str], list[Sighting]] = defaultdict(list)
    for one in readings(outcomes):
        outcome, metric, predictor = one.outcome, one.figure.metric, one.figure.predictor
        own = outcome.device == device and (device != "host" or outcome.machine == machine)
        if predictor == Calibrated.name and calibrated and _moment(outcome.recorded) < _moment(calibrated):
            continue
        if metric in _LEARNT and (own or metric in PORTABLE):
            _weigh_up(one, groups, doubts)
    lessons: list[Lesson] = []
    taught: set[str] = set()
    for (metric, predictor), sightings in groups.items():
        kept, shrunk = _agreed(sightings[-LATEST:], doubts)
        if shrunk is not None:
            taught.update(sighting.outcome.id for sighting in kept)
            lessons.extend(_lessons(metric, predictor, kept, shrunk))
    return Learned(tuple(lessons), tuple(doubts), len(taught))


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _weigh_up(one: Reading, groups: dict[tuple[Metric, str], list[Sighting]], doubts: list[Doubt]) -> None:
    figure, before = one.figure, one.figure.before
    claimed = None if before is None else deviations(figure.metric, *before)
    if before is None or claimed is None:
        return  # nothing was predicted, or exactly
    reason = own_doubt(one.outcome, figure)
    if not reason and figure.hit is None:
        return  # measured elsewhere than predicted
    reason = reason or unit_mistake(figure)
    if reason:
        doubts.append(Doubt(one.outcome.id, figure.metric, reason))
        return
    groups[figure.metric, figure.predictor].append(Sighting(one.outcome, figure, _error(one, before[1], claimed)))


def _error(one: Reading, middle: float, claimed: tuple[float, float]) -> Error:
    figure, outcome = one.figure, one.outcome
    down, up = claimed
    if figure.metric is Metric.ACCURACY:
        gap = figure.measured - middle
        side = up if gap > 0 else down
        spread = (figure.measured_high - figure.measured_low) / (2 * _Z95)
        kind = Kind("", 0, one.form, one.network)
    else:
        gap = log(figure.measured) - log(middle)
        side = up if gap > 0 else down
        quartiles = log(figure.measured_high) - log(figure.measured_low) if figure.measured_low > 0 else 0.0
        spread = quartiles / (2 * _Z50)
        threads = 0 if figure.metric in PORTABLE else outcome.threads
        kind = Kind(outcome.runtime, threads, one.form, one.network)
    return Error(kind, gap / side, min(spread / side, _NOISIEST) ** 2)


def _agreed(sightings: Sequence[Sighting], doubts: list[Doubt]) -> tuple[list[Sighting], Shrunk | None]:
    """Drop lonely errors and what the others contradict, and shrink what is left."""
    errors = [one.error for one in sightings]
    lonely = [unconfirmed(errors, i) for i in range(len(errors))]
    doubts.extend(
        _doubt(one, "far from the prediction, and no others confirm it")
        for one, alone in zip(sightings, lonely, strict=True) if alone
    )  # fmt: skip
    kept = [one for one, alone in zip(sightings, lonely, strict=True) if not alone]
    if not kept:
        return [], None
    shrunk = shrink([one.error for one in kept])
    outside = [weight < DOUBTED for weight in shrunk.weights]
    if not any(outside):
        return kept, shrunk
    doubts.extend(
        _doubt(one, "far from what others here show") for one, out in zip(kept, outside, strict=True) if out
    )  # fmt: skip
    kept = [one for one, out in zip(kept, outside, strict=True) if not out]
    return kept, shrink([one.error for one in kept]) if kept else None


def _doubt(sighting: Sighting, reason: str) -> Doubt:
    return Doubt(sighting.outcome.id, sighting.figure.metric, reason)


def _lessons(metric: Metric, predictor: str, kept: Sequence[Sighting], shrunk: Shrunk) -> Iterator[Lesson]:
    """Yield a lesson for every kind that was seen, and for those that were not."""
    kinds = {one.error.kind for one in kept}
    unseen = 0 if metric in PORTABLE else -1
    for runtime in sorted({kind.runtime for kind in kinds}):
        here = [kind for kind in kinds if kind.runtime == runtime]
        for threads in sorted({0, *(kind.threads for kind in here)}):
            for form, network in sorted(_asked(here)):
                shift, width = shrunk.at(Kind(runtime, threads or unseen, form, network or UNKNOWN))
                like = [one for one in kept if (one.error.kind.runtime, one.error.kind.form) == (runtime, form)]
                yield Lesson(
                    metric=metric, predictor=predictor, runtime=runtime, threads=threads, form=form, network=network,
                    times=len(like), elsewhere=sum(one.outcome.elsewhere for one in like), shift=shift, width=width,
                )  # fmt: skip


def _asked(kinds: Iterable[Kind]) -> set[tuple[str, str]]:
    found = {("", "")}
    for kind in kinds:
        found |= {(kind.form, ""), (kind.form, "" if kind.network.startswith(UNKNOWN) else kind.network)}
    return found
