"""At which bound of one limit another plan would win: looked for between the points where anything can change."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from advisor.schema import Candidate, Goal, Metric

from ..changes import with_limit
from ..limits import check_all
from ..weights import load_weights
from .alternative import rounded_away

LIMITED = (Metric.LATENCY, Metric.SIZE, Metric.MEMORY, Metric.ENERGY, Metric.FLASH, Metric.ACCURACY)
_CLOSE = 1.002  # bounds nearer than this ratio are the same to three digits
_BEYOND = 1.5  # the last bound tried, as a multiple of the highest end of an interval
_FINE = 0.002  # and losses nearer than this many points
Winner = Callable[[float | None], int | None]  # of a bound, None for no limit


@dataclass(frozen=True)
class Turn:
    """A bound that changes the winner, the nearest one found that does not, and whether it tightens the limit."""

    bound: float | None
    short_of: float | None
    tighter: bool


def taken(candidate: Candidate, metric: Metric, goal: Goal) -> float | None:
    """Return what a limit on the metric is compared with: the middle of the estimate, or the loss in points."""
    (check,) = check_all(with_limit(Goal(batch=goal.batch), metric, 0.0, sustained=is_sustained(goal, metric)),
                         candidate.estimates)  # fmt: skip
    if check.estimate is None:
        return None
    return max(0.0, -check.estimate.mid) if metric is Metric.ACCURACY else check.estimate.mid


def is_sustained(goal: Goal, metric: Metric) -> bool:
    """Whether the goal's limit on the metric was stated as a rate."""
    return any(limit.sustained for limit in goal.limits if limit.metric is metric)


def breakpoints(candidates: Sequence[Candidate], metric: Metric, goal: Goal, stated: Sequence[float]) -> list[float]:
    """Return the bounds at which a plan opens or a gain stops counting, and one beyond all.

    `stated` are those of rules. Between two bounds chances and scores change smoothly.
    """
    found = set(stated)
    margin, beyond = load_weights().limit_margin, 0.0
    for candidate in candidates:
        middle, estimate = taken(candidate, metric, goal), candidate.estimates.get(metric)
        if middle is not None and estimate is not None:
            found |= {middle, middle * margin}
            beyond = max(beyond, -estimate.low if metric is Metric.ACCURACY else estimate.high)
    legal = sorted(b for b in found | {beyond * _BEYOND} if b > 0 or (b == 0 and metric is Metric.ACCURACY))
    close: list[float] = []
    for bound in legal:
        if not close or not _same(close[-1], bound, metric):
            close.append(bound)
    return close


def turns(metric: Metric, present: float | None, start: float, points: Sequence[float], winner: Winner) -> list[Turn]:
    """Return where the winner changes on either side of `present`, or of `start` where no limit is set."""
    before = winner(present)
    if present is None and winner(start) != before:
        return _from_inside(metric, start, points, winner, before)
    down = [start, *sorted((p for p in points if p < start), reverse=True)]
    up = [start, *sorted(p for p in points if p > start)]
    found = [_first(metric, side, winner, before, tighter) for side, tighter in ((down, True), (up, False))]
    if present is not None and found[1] is None and winner(None) != before:
        found[1] = Turn(None, up[-1], False)
    return [turn for turn in found if turn is not None]


def _first(metric: Metric, row: Sequence[float], winner: Winner, before: int | None, tighter: bool) -> Turn | None:
    for inside, outside in pairwise(row):
        if winner(outside) != before:
            short, turned = _bisect(metric, inside, outside, lambda b: winner(b) == before)
            return Turn(_rounded(turned, short, metric, lambda b: winner(b) != before), short, tighter)
    return None


def _from_inside(
    metric: Metric, start: float, points: Sequence[float], winner: Winner, before: int | None
) -> list[Turn]:
    """The limit set at the predicted value already changes the winner: find the loosest bound that still does."""
    row = [start, *sorted(p for p in points if p > start)]
    for inside, outside in pairwise(row):
        if winner(outside) == before:
            turned, short = _bisect(metric, inside, outside, lambda b: winner(b) != before)
            return [Turn(_rounded(turned, short, metric, lambda b: winner(b) != before), short, True)]
    return [Turn(_rounded(row[-1], math.inf, metric, lambda b: winner(b) != before), None, True)]


def _bisect(metric: Metric, inside: float, outside: float, holds: Callable[[float], bool]) -> tuple[float, float]:
    """Narrow down where `holds` ends on the way from `inside`, where it does, to `outside`, where it does not."""
    while not _same(inside, outside, metric):
        middle = (inside + outside) / 2 if metric is Metric.ACCURACY else math.sqrt(inside * outside)
        if holds(middle):
            inside = middle
        else:
            outside = middle
    return inside, outside


def _same(a: float, b: float, metric: Metric) -> bool:
    if metric is Metric.ACCURACY:
        return abs(a - b) <= _FINE
    return max(a, b) <= _CLOSE * min(a, b)


def _rounded(bound: float, away: float, metric: Metric, changes: Callable[[float], bool]) -> float:
    """Round away from the side where nothing changes to as few digits as still change the winner."""
    points = metric is Metric.ACCURACY
    near = (b for b in rounded_away(bound, away, decimals=points) if (b > 0 or points) and _same(b, bound, metric))
    return next((b for b in near if changes(b)), bound)
