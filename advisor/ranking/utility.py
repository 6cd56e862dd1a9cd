"""The score of a candidate, split into visible terms; the weights and their meaning are in `knowledge/ranking.yaml`."""

import math

from advisor.schema import Candidate, Estimate, Finding, Goal, Metric, Truth

from .limits import chance_of_all
from .weights import Weights
from .yardstick import COSTS, presumed

_LEAST_CHANCE = 1e-3  # keeps log2 finite; below it a plan is as good as infeasible


def _log_gain(base: float | None, mine: float | None) -> float:
    return math.log2(base / mine) if base and mine else 0.0


def _capped(gain: float, metric: Metric, base: float | None, goal: Goal, weights: Weights) -> float:
    """Stop counting gains past the limit plus margin, unless the metric is the goal itself."""
    bound = goal.bound(metric)
    if bound is None or base is None or bound <= 0 or metric.value.startswith(goal.kind):
        return gain
    needed = math.log2(max(base * weights.limit_margin / bound, 1e-9))
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
    return sum(counted(findings).values())


def counted(findings: tuple[Finding, ...]) -> dict[str, float]:
    """Return the rules that move the score with their signed certainty.

    Of rules on the same evidence the most certain one speaks for all; where two that are equally certain say opposite
    things, that evidence decides nothing.
    """
    strongest: dict[str, Finding] = {}
    against: dict[str, float] = {}
    for finding in findings:
        if finding.kind not in ("prefer", "avoid") or finding.truth is not Truth.TRUE or finding.weight == 0:
            continue
        key = finding.same_evidence or finding.rule
        best = strongest.get(key)
        if best is None or (-finding.weight, finding.rule) < (-best.weight, best.rule):
            strongest[key] = finding
        against[f"{key} {finding.kind}"] = max(finding.weight, against.get(f"{key} {finding.kind}", 0.0))
    return {
        f.rule: f.weight if f.kind == "prefer" else -f.weight
        for key, f in strongest.items()
        if against.get(f"{key} prefer") != against.get(f"{key} avoid")
    }


def favour_counts(candidate: Candidate, goal: Goal) -> bool:
    """Whether rules may speak for the plan: not against a predicted slowdown compared with the unchanged model.

    Unless measurements that a rule cites speak of a speed-up here: they weigh more than the general prediction.
    """
    gain = candidate.gains.get(Metric.LATENCY)
    slower = gain is not None and gain.mid < 1.0 and goal.kind in ("balanced", "latency", "energy")
    measured = any(
        f.kind == "estimate" and f.truth is Truth.TRUE and f.metric == Metric.LATENCY and (f.low or 0.0) >= 1.0
        for f in candidate.findings
    )
    return not slower or measured


def _advice(candidate: Candidate, goal: Goal) -> float:
    """Balance of the rules, without their favour where that does not count."""
    balance = rule_balance(candidate.findings)
    return balance if balance <= 0 or favour_counts(candidate, goal) else 0.0


def utility(candidate: Candidate, reference: dict[Metric, float], goal: Goal, weights: Weights) -> dict[str, float]:
    """Return the terms of the score; their sum is the utility. `reference` holds what costs are gained upon."""
    per_metric = weights.goals[goal.kind]
    terms: dict[str, float] = {}
    for metric in COSTS:
        base = reference.get(metric)
        gain = _capped(_log_gain(base, presumed(candidate, metric)), metric, base, goal, weights)
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
