"""Estimates as outcomes measured on the device correct them; without outcomes every estimate stays as it is.

What outcomes teach is worked out elsewhere and comes along with the device, as its calibration does: how far to move an
estimate, in units of the width that it claims for itself, and how far to trust that width.
"""

from collections.abc import Iterable
from hashlib import sha256
from math import exp, log
from statistics import NormalDist

from advisor.facts import plan_precision
from advisor.schema import Estimate, Lesson, Metric, Plan, Seen

from .query import Query

Z80 = NormalDist().inv_cdf(0.9)  # half-width of an 80 % interval in standard deviations
LEAST = 0.01  # deviations that an estimate claims are taken for at least this: as logarithm, or in points
_PARTS = 1e-9


def network_key(macs: int, params: int) -> str:
    """Return a short name of a network by what it costs; it does not tell which network it is."""
    return sha256(f"{macs}:{params}".encode()).hexdigest()[:12]


def form_of(metric: Metric, plan: Plan) -> str:
    """Return what outcomes are told apart by: the techniques where accuracy is asked, else the precision."""
    return "+".join(plan.techniques) or "none" if metric is Metric.ACCURACY else plan_precision(plan)


def deviations(metric: Metric, low: float, mid: float, high: float) -> tuple[float, float] | None:
    """Return the standard deviations that an estimate claims below and above its middle; None where it is exact.

    Of costs they are those of the logarithm, of accuracy in points.
    """
    if low == high:
        return None
    if metric is Metric.ACCURACY:
        down, up = mid - low, high - mid
    elif low > 0:
        down, up = log(mid) - log(low), log(high) - log(mid)
    else:
        return None
    return max(down / Z80, LEAST), max(up / Z80, LEAST)


def corrected(query: Query, estimate: Estimate) -> Estimate:
    """Return the estimate as this device's outcomes correct it, with what it was before."""
    lesson = _lesson(query, estimate) if query.device.lessons else None
    claimed = deviations(estimate.metric, estimate.low, estimate.mid, estimate.high)
    if lesson is None or claimed is None:
        return estimate
    down, up = claimed
    moved = lesson.shift * (up if lesson.shift > 0 else down)
    below, above = (Z80 * lesson.width * half for half in claimed)
    if estimate.metric is Metric.ACCURACY:
        mid = estimate.mid + moved
        low, high = mid - below, mid + above
    else:
        mid = estimate.mid * exp(moved)
        low, high = mid * exp(-below), mid * exp(above)
    return estimate.model_copy(
        update={
            "low": low,
            "mid": mid,
            "high": high,
            "note": "; ".join(filter(None, (estimate.note, told(lesson, estimate.mid, mid)))),
            "parts": {name: share * mid / estimate.mid for name, share in estimate.parts.items()},
            "risks": _risks(estimate, mid, lesson.width),
            "seen": Seen(
                times=lesson.times, elsewhere=lesson.elsewhere, low=estimate.low, mid=estimate.mid, high=estimate.high
            ),
        }
    )


def told(lesson: Lesson, before: float, after: float) -> str:
    """Say in a few words how often the like was seen and what it changed."""
    change = f"{after - before:+.2f} points" if lesson.metric is Metric.ACCURACY else f"x{after / before:.2f}"
    return f"{times_seen(lesson)}: {change}"


def times_seen(found: Lesson | Seen) -> str:
    """Write 'seen here 4 times', or that only other plans were seen."""
    here = found.times - found.elsewhere
    counts = [f"{where} {count} time{'s' * (count > 1)}"
              for where, count in (("here", here), ("elsewhere", found.elsewhere)) if count]  # fmt: skip
    return f"seen {' and '.join(counts)}" if counts else "other plans seen here"


def _lesson(query: Query, estimate: Estimate) -> Lesson | None:
    """Return the lesson that is nearest to the question: of its own threads, form and network where there is one."""
    metric, plan = estimate.metric, query.plan
    runtime = "" if metric is Metric.ACCURACY else plan.path
    known = [
        one for one in query.device.lessons
        if (one.metric, one.predictor, one.runtime) == (metric, estimate.predictor, runtime)
    ]  # fmt: skip
    after = query.after
    known = _narrowed(known, "threads", 0 if metric is Metric.ACCURACY else query.threads, 0)
    known = _narrowed(known, "form", form_of(metric, plan), "")
    known = _narrowed(known, "network", network_key(after.macs, after.params), "")
    return known[0] if known else None


def _narrowed(lessons: Iterable[Lesson], field: str, wanted: object, otherwise: object) -> list[Lesson]:
    listed = list(lessons)
    own = [one for one in listed if getattr(one, field) == wanted]
    return own or [one for one in listed if getattr(one, field) == otherwise]


def _risks(estimate: Estimate, mid: float, width: float) -> dict[str, float]:
    """Move the probabilities of losses along with the middle and width; the shape of the tail stays.

    A probability says how many deviations the loss lies from the middle; that distance is measured anew.
    """
    found = {}
    for event, risk in estimate.risks.items():
        points = next((word for word in event.split() if word.replace(".", "", 1).isdigit()), None)
        if points is None:  # an event of another kind, of which the middle says nothing
            found[event] = risk
            continue
        limit = -float(points)
        z = NormalDist().inv_cdf(min(max(risk, 1e-4), 1 - 1e-4))
        apart = (limit - estimate.mid) / z if abs(z) > _PARTS else 0.0
        half = apart if apart > 0 else (estimate.high - estimate.low) / (2 * Z80)
        found[event] = round(NormalDist(mid, max(half * width, LEAST)).cdf(limit), 3)
    return found
