"""Limits that would make another plan win: those that are set, tighter or looser, and those that could be set."""

from collections.abc import Iterator

from advisor.schema import UNITS, Metric

from ..changes import LIMITS, OF_GOAL, with_limit
from ..limits import NAMES
from ..weights import load_weights
from .alternative import Alternative, doublings
from .bounds import LIMITED, Turn, Winner, breakpoints, is_sustained, taken, turns
from .breakpoints import conditions, thresholds
from .probing import Probe

_NEAR = 0.01  # a rounded rate may lie this much away
_OPTIONS = {metric: name for name, (metric, _) in LIMITS.items()}


def turned_limits(probe: Probe) -> Iterator[Alternative]:
    """Look for the bounds of each limit, one at a time, at which another plan wins."""
    for metric in LIMITED:
        if any(metric in c.estimates for c in probe.candidates):
            yield from _turned(probe, metric)


def _turned(probe: Probe, metric: Metric) -> Iterator[Alternative]:
    goal = probe.now.goal
    present, sustained = goal.bound(metric), is_sustained(goal, metric)
    start = _start(probe, metric, present)
    if start is None:
        return
    cache: dict[float | None, int | None] = {}

    def winner(bound: float | None) -> int | None:
        if bound not in cache:
            cache[bound] = probe.winner(with_limit(goal, metric, bound, sustained=sustained))
        return cache[bound]

    points = breakpoints(probe.candidates, metric, goal, _stated(probe, metric))
    for turn in turns(metric, present, start, points, winner):
        yield Alternative(
            "limit",
            _change(metric, _told(turn.bound, sustained, goal.batch, winner), sustained, goal.batch),
            "" if turn.short_of is None else _change(metric, turn.short_of, sustained, goal.batch),
            _before(probe, metric, start),
            _size(metric, turn, present, start),
            winner(turn.bound),
            _note(metric, turn, present),
        )


def _start(probe: Probe, metric: Metric, present: float | None) -> float | None:
    """Return where to look from: the limit that is set, else what the winner takes."""
    if present is not None:
        return present
    winner = probe.now.recommended
    found = None if winner is None else taken(winner, metric, probe.now.goal)
    return found if found or metric is Metric.ACCURACY else None


def _stated(probe: Probe, metric: Metric) -> tuple[float, ...]:
    """Return the bounds of which rules speak."""
    names = [fact for fact, option in OF_GOAL.items() if option == _OPTIONS[metric]]
    found = [thresholds(n, conditions(probe.rules, probe.readers.get(n, ())), [probe.case]) for n in names]
    return tuple(bound for bounds in found for bound in bounds)


def _change(metric: Metric, bound: float | None, sustained: bool, batch: int) -> str:
    if bound is None:
        return f"{_OPTIONS[metric]}=none"
    if sustained:
        return f"min_fps={1000.0 / bound * batch:.6g}"
    return f"{_OPTIONS[metric]}={bound:.6g}{'' if metric is Metric.ACCURACY else UNITS[metric]}"


def _told(bound: float | None, sustained: bool, batch: int, winner: Winner) -> float | None:
    """Return a bound whose rate has few digits, where it was stated as a rate and still turns the winner alike."""
    if bound is None or not sustained:
        return bound
    rates = (float(f"{1000.0 / bound * batch:.{digits}g}") for digits in (2, 3, 4))
    near = (1000.0 / rate * batch for rate in rates if rate > 0)
    return next((b for b in near if abs(b / bound - 1) < _NEAR and winner(b) == winner(bound)), bound)


def _before(probe: Probe, metric: Metric, start: float) -> str:
    goal = probe.now.goal
    if goal.bound(metric) is None:
        return f"no limit; #{probe.now.winner} takes {start:.3g} {UNITS[metric]}"
    if is_sustained(goal, metric):
        return f"{1000.0 / start * goal.batch:.4g} images/s"
    return f"{start:.4g} {UNITS[metric]}"


def _size(metric: Metric, turn: Turn, present: float | None, start: float) -> float:
    sizes = load_weights().changes
    if turn.bound is None:
        return sizes.switch
    if turn.short_of is None:
        return sizes.new_limit
    if metric is Metric.ACCURACY:
        distance = abs(turn.bound - start) * sizes.point_pp
    else:
        distance = doublings(start, turn.bound) or 0.0
    return distance + (sizes.new_limit if present is None else 0.0)


def _note(metric: Metric, turn: Turn, present: float | None) -> str:
    any_does = present is None and turn.bound is not None and turn.short_of is None
    return f"any limit on {NAMES[metric]} does, however loose" if any_does else ""
