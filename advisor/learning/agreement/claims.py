"""What a rule claims of a measured effect, and whether a measurement bears it out."""

from collections.abc import Callable
from dataclasses import dataclass

from advisor.schema import Rule

from .pair import ACCURACY, LATENCY, SIZE
from .settings import Judged

_METRICS = {"latency": LATENCY, "accuracy": ACCURACY, "size": SIZE}
_OPPOSITE = {"faster": "slower", "smaller": "larger"}


@dataclass(frozen=True)
class Claim:
    """The metric, what is claimed in words, and the test of one observed effect."""

    metric: str
    words: str
    holds: Callable[[float], bool]


def claim_of(rule: Rule, judged: Judged) -> Claim | None:
    """Return what a rule claims, None where no measurement could contradict it.

    Of a plan that a rule prefers: no harm. Of one that it avoids, forbids or warns of, or that lacks what it requires:
    no gain in speed or size, or a loss of accuracy.
    """
    if rule.kind == "estimate":
        low, high = rule.low, rule.high
        if low is None or high is None:
            return None
        unit = "pp" if rule.metric == ACCURACY else "times"
        return Claim(rule.metric, f"{low:g} to {high:g} {unit}", lambda seen: low <= seen <= high)
    if not rule.checks:
        return None
    metric = _METRICS[rule.checks]
    if rule.checks == "accuracy":
        margin = judged.same_accuracy
        if rule.kind == "prefer":
            return Claim(metric, f"loses <= {margin:g} pp", lambda seen: seen >= -margin)
        return Claim(metric, f"loses >= {margin:g} pp", lambda seen: seen <= -margin)
    margin = judged.same_speed
    gain = "smaller" if rule.checks == "size" else "faster"
    if rule.kind == "prefer":
        return Claim(metric, f"not {_OPPOSITE[gain]}", lambda seen: seen >= 1 - margin)
    return Claim(metric, f"not {gain}", lambda seen: seen <= 1 + margin)
