"""The score of a candidate, split into visible terms; the weights and their meaning are in `knowledge/ranking.yaml`."""

import math

from advisor.schema import Candidate, Estimate, Finding, Goal, Metric, Truth

from .limits import chance_of_all
from .weights import Weights

_COSTS = (Metric.LATENCY, Metric.SIZE, Metric.MEMORY, Metric.ENERGY)
_LEAST_CHANCE = 1e-3  # keeps log2 finite; below it a plan is as good as infeasible


def _log_gain(base: Estimate | None, mine: Estimate | None) -> float:
    if base is None or mine is None or base.mid <= 0 or mine.mid <= 0:
        return 0.0
    return math.log2(base.mid / mine.mid)


def _capped(gain: float, metric: Metric, base: Estimate | None, goal: Goal, weights: Weights) -> float:
    """Stop counting gains past the limit plus margin, unless the metric is the goal itself."""
    bound = goal.bound(metric)
    if bound is None or base is None or bound <= 0 or metric.value.startswith(goal.kind):
        return gain
    needed = math.log2(max(base.mid * weights.limit_margin / bound, 1e-9))
    return min(gain, max(needed, 0.0))


def planned_loss(estimate: Estimate | None, weights: Weights) -> float:
    """Accuracy loss in points to plan with: between the middle and the pessimistic end; a gain counts as negative."""
    if estimate is None:
        return 0.0
    return -((1 - weights.pessimism) * estimate.mid + weights.pessimism * estimate.low)


def _felt(loss: float, goal: Goal, weights: Weights) -> float:
    """Loss as the score counts it: what exceeds the unstated tolerance weighs more, unless a limit was stated."""
    beyond = loss - weights.unstated_drop_pp
    if beyond <= 0 or goal.bound(Metric.ACCURACY) is not None:
        return loss
    return weights.unstated_drop_pp + weights.beyond_unstated * beyond


def rule_balance(findings: tuple[Finding, ...]) -> float:
    """Certainties of fired prefer rules minus those of avoid rules; rules on the same evidence count once."""
    strongest: dict[str, float] = {}
    for finding in findings:
        if finding.kind not in ("prefer", "avoid") or finding.truth != "true" or finding.weight == 0:
            continue
        signed = finding.weight if finding.kind == "prefer" else -finding.weight
        key = finding.same_evidence or finding.rule
        if abs(signed) > abs(strongest.get(key, 0.0)):
            strongest[key] = signed
    return sum(strongest.values())


def _advice(candidate: Candidate, goal: Goal) -> float:
    """Balance of the rules; their favour does not make up for a predicted slowdown against the unchanged model.

    Unless measurements that a rule cites speak of a speed-up here: they weigh more than the general prediction.
    """
    balance = rule_balance(candidate.findings)
    gain = candidate.gains.get(Metric.LATENCY)
    slower = gain is not None and gain.mid < 1.0 and goal.kind in ("balanced", "latency", "energy")
    measured = any(
        f.kind == "estimate" and f.truth is Truth.TRUE and f.metric == Metric.LATENCY and (f.low or 0.0) >= 1.0
        for f in candidate.findings
    )
    return min(balance, 0.0) if slower and not measured else balance


def utility(candidate: Candidate, reference: dict[Metric, Estimate], goal: Goal, weights: Weights) -> dict[str, float]:
    """Return the terms of the score; their sum is the utility. `reference` holds what costs are gained upon."""
    per_metric = weights.goals[goal.kind]
    terms: dict[str, float] = {}
    for metric in _COSTS:
        base = reference.get(metric)
        gain = _capped(_log_gain(base, candidate.estimates.get(metric)), metric, base, goal, weights)
        terms[metric.value] = getattr(per_metric, metric.value) * gain
    loss = planned_loss(candidate.estimates.get(Metric.ACCURACY), weights)
    terms["accuracy"] = -per_metric.accuracy_per_pp * _felt(loss, goal, weights)
    terms["effort"] = -weights.effort_per_doubling * math.log2(1 + 8 * candidate.effort)
    terms["steps"] = -weights.per_step * len(candidate.plan.steps)
    terms["rules"] = weights.rule_weight * _advice(candidate, goal)
    if not candidate.appliable:
        terms["not appliable here"] = -weights.not_appliable
    if candidate.limits:
        terms["limits"] = weights.limit_weight * math.log2(max(chance_of_all(candidate.limits), _LEAST_CHANCE))
    return {name: round(value, 4) for name, value in terms.items()}
