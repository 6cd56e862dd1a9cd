"""Ratios of two plans: errors that both share cancel, so a ratio is known far better than either figure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from advisor.schema import Device, Estimate, Gain, Metric, Plan, Workload

from .calibrated import ratio_spread
from .efficiency import figures
from .energy import PowerTimesTime
from .engine import most_confident, predict_all
from .latency import timing
from .memory import ratio_spread as memory_spread
from .query import Answer, Query

Answers = Mapping[Metric, tuple[Answer, ...]]


def predict_gain(
    plan: Plan, baseline_plan: Plan, before: Workload, baseline_after: Workload, after: Workload, device: Device,
    facts: dict[str, Any], *, known: tuple[Answers, Answers] | None = None,
) -> dict[Metric, Gain]:  # fmt: skip
    """Return the effect of `plan` against `baseline_plan` for every metric that both estimates know.

    `ratio = baseline / candidate` for costs (above 1 is better); points of accuracy are differences. `known` are the
    answers to both, the baseline's first, where they were asked for already.
    """
    base = Query(baseline_plan, before, baseline_after, device, facts)
    candidate = replace(base, plan=plan, after=after, shared={})
    unchanged, changed = known or (
        predict_all(baseline_plan, before, baseline_after, device, facts),
        predict_all(plan, before, after, device, facts),
    )
    left, right = alike(unchanged, changed)
    costs = [m for m in Metric if m is not Metric.THROUGHPUT]  # it repeats the latency's gain
    gains: dict[Metric, Gain] = {
        m: gain(m, base, candidate, left[m], right[m]) for m in costs if m in left and m in right
    }
    if Metric.LATENCY in gains and Metric.ENERGY in gains and _time_alone(base, candidate, left, right):
        gains[Metric.ENERGY] = gains[Metric.LATENCY].model_copy(update={"metric": Metric.ENERGY})
    return gains


def _time_alone(
    base: Query, candidate: Query, left: Mapping[Metric, Estimate], right: Mapping[Metric, Estimate]
) -> bool:
    """Whether energies differ by their times only: then they must not be of two predictors of latency either."""
    names = {left[Metric.ENERGY].predictor, right[Metric.ENERGY].predictor}
    return names == {PowerTimesTime.name} and base.plan.unit == candidate.plan.unit


def alike(base: Answers, candidate: Answers) -> tuple[dict[Metric, Estimate], dict[Metric, Estimate]]:
    """Return estimates of both plans, of latency by the same predictor where one answers both.

    Two predictors err differently: their ratio would show the difference of their errors as a gain.
    """
    left, right = most_confident(base), most_confident(candidate)
    if Metric.LATENCY in left and Metric.LATENCY in right:
        pairs = [
            (min(a.confidence, b.confidence), a.estimate, b.estimate)
            for a in base[Metric.LATENCY] for b in candidate[Metric.LATENCY]
            if a.estimate.predictor == b.estimate.predictor
        ]  # fmt: skip
        if pairs:
            _, left[Metric.LATENCY], right[Metric.LATENCY] = max(pairs, key=lambda pair: pair[0])
    return left, right


def gain(metric: Metric, base: Query, candidate: Query, left: Estimate, right: Estimate) -> Gain:
    """Return the gain of one metric from two estimates that share their errors."""
    label = f"{base.plan.path} {base.plan.label}" if base.plan.steps else base.plan.path
    if metric is Metric.ACCURACY:
        return Gain(metric=metric, baseline=label, low=right.low - left.mid, mid=right.mid - left.mid,
                    high=right.high - left.mid)  # fmt: skip
    if same(base, candidate):
        return Gain(metric=metric, baseline=label, low=1.0, mid=1.0, high=1.0)
    mid = left.mid / right.mid if right.mid else 1.0
    if metric in (Metric.LATENCY, Metric.ENERGY):
        spread = _spread(base, candidate)
        return Gain(metric=metric, baseline=label, low=mid / spread, mid=mid, high=mid * spread)
    # Both intervals lean the same way, so their ends are compared with each other; of processes, forms err apart too.
    spread = memory_spread(candidate) if metric is Metric.MEMORY else 1.0
    ends = [left.low / right.low if right.low else mid, left.high / right.high if right.high else mid, mid]
    return Gain(metric=metric, baseline=label, low=min(*ends, mid / spread), mid=mid, high=max(*ends, mid * spread))


def same(base: Query, candidate: Query) -> bool:
    """Whether both plans execute the same network on the same path: then nothing can differ."""
    left, right = base.plan, candidate.plan
    return base.after is candidate.after and (left.path, left.threads, left.steps) == (
        right.path, right.threads, right.steps)  # fmt: skip


def _spread(base: Query, candidate: Query) -> float:
    """Return the factor of the 80 % interval of a latency ratio: of this machine's own timings where there are any."""
    calibrated = ratio_spread(base, candidate)
    if calibrated is not None:
        return calibrated
    limits = figures().ratio
    if (base.plan.path, base.plan.threads) != (candidate.plan.path, candidate.plan.threads):
        return limits.other_path
    left, right = timing(base), timing(candidate)
    if left is None or right is None:
        return limits.other_path
    alike = {r.arithmetic for r in left.rates} == {r.arithmetic for r in right.rates}
    if alike and set(candidate.plan.techniques) <= _NO_CHANGE_OF_WORK:
        return limits.same_work
    return limits.same_arithmetic if alike else limits.other_arithmetic


_NO_CHANGE_OF_WORK = frozenset({"sparsify", "weight_only"})
