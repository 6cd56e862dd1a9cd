"""Ask every predictor; the most confident one answers, the others stay available for the trace."""

from collections.abc import Mapping
from typing import Any

from advisor.schema import Device, Estimate, Metric, Plan, Workload

from . import (  # noqa: F401  (they register their predictors)
    accuracy,
    calibrated,
    energy,
    firmware,
    latency,
    memory,
    size,
    throughput,
)
from .figures import figures_version
from .pooled import predictor as _pooled  # noqa: F401
from .query import Answer, Query, predictors
from .seen import corrected


def predict_all(
    plan: Plan, before: Workload, after: Workload, device: Device, facts: dict[str, Any]
) -> dict[Metric, tuple[Answer, ...]]:
    """Return the answers of all predictors by metric, the most confident first; unknown metrics are absent."""
    query = Query(plan, before, after, device, facts)
    found: dict[Metric, tuple[Answer, ...]] = {}
    for metric in Metric:
        answers = [
            Answer(confidence, corrected(query, _marked(predictor.estimate(query))))
            for predictor in predictors(metric)
            if (confidence := predictor.supports(query)) is not None
        ]
        if answers:
            found[metric] = tuple(sorted(answers, key=lambda a: -a.confidence))
    return found


def _marked(estimate: Estimate) -> Estimate:
    return estimate.model_copy(update={"figures": figures_version(estimate.metric)})


def predict(
    plan: Plan, before: Workload, after: Workload, device: Device, facts: dict[str, Any]
) -> dict[Metric, Estimate]:
    """Return one estimate for every metric that can be known for this plan on this device."""
    return most_confident(predict_all(plan, before, after, device, facts))


def most_confident(answers: Mapping[Metric, tuple[Answer, ...]]) -> dict[Metric, Estimate]:
    """Return the first answer for every metric."""
    return {metric: found[0].estimate for metric, found in answers.items()}


def explain_absence(
    metric: Metric, plan: Plan, before: Workload, after: Workload, device: Device, facts: dict[str, Any]
) -> str:
    """Say in one sentence why no predictor answers for this metric; empty where one does."""
    query = Query(plan, before, after, device, facts)
    if any(p.supports(query) is not None for p in predictors(metric)):
        return ""
    reasons = [p.absence(query) for p in predictors(metric)]
    return "; ".join(reasons) or f"nothing here predicts {metric}"
