"""Hand-made outcomes for the tests."""

from math import exp

from advisor.learning.outcomes.outcome import Effect, Figure, Outcome
from advisor.schema import Metric

SPREAD = 0.5  # claimed deviation of the logarithm in `figure`
Z80 = 1.2815515655446004


def figure(off=0.0, metric=Metric.LATENCY, mid=10.0, **fields):
    """A figure whose measurement lies `off` claimed deviations above the middle; the interval holds 80 %."""
    if metric is Metric.ACCURACY:
        low, high, measured = mid - Z80 * SPREAD, mid + Z80 * SPREAD, mid + off * SPREAD
    else:
        low, high, measured = mid * exp(-Z80 * SPREAD), mid * exp(Z80 * SPREAD), mid * exp(off * SPREAD)
    given = {
        "metric": metric, "basis": "roofline", "predictor": "roofline", "low": low, "mid": mid, "high": high,
        "measured": measured, "measured_low": measured, "measured_high": measured, "hit": low <= measured <= high,
    }  # fmt: skip
    return Figure(**given | fields)


def outcome(number=0, off=0.0, **fields):
    """An outcome of a network of its own (`number`), with a latency that is `off` deviations too long."""
    given = {
        "recorded": f"2026-01-01T00:{number // 60:02d}:{number % 60:02d}+00:00", "by": "apply", "device": "host",
        "machine": "cpu", "target": "host", "model": f"net{number}", "network": f"net{number}",
        "techniques": ("static_int8",), "precision": "int8", "runtime": "onnxruntime/cpu", "threads": 1,
        "figures": (figure(off),),
    }  # fmt: skip
    return Outcome(**given | fields).named()


def effect(held=True, rule="HW-03a", **fields):
    given = {"rule": rule, "certainty": "strong", "claim": "latency_ms: not slower", "seen": 1.2, "held": held}
    return Effect(**given | fields)
