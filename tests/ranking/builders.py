"""Small records for tests of the ranking room."""

from typing import Any

from advisor.ranking.nearest import nearest
from advisor.ranking.rank import decide
from advisor.ranking.what_if import ask_again
from advisor.rules import RuleBase
from advisor.schema import (
    Basis,
    Candidate,
    Estimate,
    Finding,
    Goal,
    Limit,
    Metric,
    Plan,
    Preview,
    Recommendation,
    Truth,
)

PREVIEW = Preview(
    macs=10, params=10, weight_bytes=40, peak_activation_bytes=40, input_shapes=((1, 3, 8, 8),), precision="fp32"
)


def estimate(metric: Metric, mid: float, spread: float = 1.2) -> Estimate:
    if metric is Metric.ACCURACY:
        low, high = mid - spread, mid + spread
    else:
        low, high = mid / spread, mid * spread
    return Estimate(metric=metric, low=low, mid=mid, high=high, basis=Basis.ROOFLINE, predictor="test")


def candidate(
    number: int, latency: float, loss: float = 0.0, size: float = 10.0, effort: float = 0.0, **more
) -> Candidate:
    estimates = {
        Metric.LATENCY: estimate(Metric.LATENCY, latency),
        Metric.SIZE: estimate(Metric.SIZE, size, 1.01),
        Metric.ACCURACY: estimate(Metric.ACCURACY, -loss, 0.3),
    }
    runtime = "pytorch" if number == 0 else "onnxruntime"
    return Candidate(
        **{
            "number": number,
            "plan": Plan(runtime=runtime),
            "preview": PREVIEW,
            "estimates": estimates,
            "effort": effort,
        }
        | more
    )


def finding(rule: str, kind: str = "veto", rejects: bool = False, weight: float = 0.9, **more) -> Finding:
    fields = {"rule": rule, "kind": kind, "title": rule, "origin": "X", "certainty": "strong", "truth": Truth.TRUE}
    return Finding(**fields | {"rejects": rejects, "reason": f"{rule} says so", "weight": weight} | more)


def goal(kind: str = "balanced", **limits: float) -> Goal:
    names = {"latency": Metric.LATENCY, "size": Metric.SIZE, "drop": Metric.ACCURACY, "energy": Metric.ENERGY}
    return Goal(kind=kind, limits=tuple(Limit(metric=names[n], bound=b) for n, b in limits.items()))


def recommendation(*candidates: Candidate, wanted: Goal | None = None, **more: Any) -> Recommendation:
    """Decide between these candidates; their findings are taken as they are."""
    wanted = wanted or goal()
    ranked, winner = decide(candidates, wanted, 1)
    fields = {
        "engine": "0", "knowledge": "0", "profile": "p", "created": "now", "model": "net", "model_source": "test",
        "device": "board", "goal": wanted, "facts": {}, "original": PREVIEW, "candidates": ranked, "winner": winner,
        "baseline": 1, "nearest": nearest(ranked, wanted),
    }  # fmt: skip
    return Recommendation(**fields | more)


def decided(rules: RuleBase, *candidates: Candidate, wanted: Goal | None = None, **more: Any) -> Recommendation:
    """Decide between these candidates by these rules."""
    made = recommendation(*candidates, wanted=wanted, **more)
    return ask_again(made, rules, made.goal, {})
