"""Figures and names in words, the same in every report."""

from collections.abc import Iterable
from typing import Any

from advisor.prediction.seen import times_seen
from advisor.schema import UNITS, Basis, Candidate, Estimate, Gain, Goal, Limit, Measurement, Metric, Plan, Preview
from advisor.units import si, three

METRIC_WORDS = {
    Metric.LATENCY: "latency",
    Metric.SIZE: "size",
    Metric.MEMORY: "memory",
    Metric.ENERGY: "energy",
    Metric.THROUGHPUT: "throughput",
    Metric.FLASH: "flash",
    Metric.ACCURACY: "accuracy",
}
_GOAL_METRICS = {
    "latency": Metric.LATENCY,
    "size": Metric.SIZE,
    "memory": Metric.MEMORY,
    "energy": Metric.ENERGY,
    "accuracy": Metric.LATENCY,
    "balanced": Metric.LATENCY,
}


def number(value: float, metric: Metric) -> str:
    """Write a value without its unit; accuracy differences carry a sign."""
    if metric is not Metric.ACCURACY:
        return three(value)
    return f"{value:+.1f}" if abs(value) >= 0.05 else "0.0"


def amount(value: float, metric: Metric) -> str:
    """Write a value with its unit."""
    return f"{number(value, metric)} {UNITS[metric]}"


def interval(estimate: Estimate | Measurement) -> str:
    """Write the interval without its unit, or 'exact' where there is none."""
    if isinstance(estimate, Estimate) and estimate.basis is Basis.EXACT:
        return "exact"
    low, high = number(estimate.low, estimate.metric), number(estimate.high, estimate.metric)
    return f"{low} to {high}" if low != high else "within 1 %"


def with_interval(value: Estimate | Measurement) -> str:
    """Write '9.30 ms (7.10 to 12.0)'."""
    middle = value.mid if isinstance(value, Estimate) else value.value
    return f"{amount(middle, value.metric)} ({interval(value)})"


def basis(estimate: Estimate) -> str:
    """Write what an estimate rests on: 'fitted, n=37, seen here 4 times'."""
    count = f", n={estimate.n}" if estimate.n else ""
    seen = "" if estimate.seen is None else f", {times_seen(estimate.seen)}"
    return f"{estimate.basis.value}{count}{seen}"


def parts(estimate: Estimate) -> str:
    """Write what an estimate is made of: 'memory: runtime 45 MB, weights 9.2 MB.'; empty where it is not known."""
    shares = [f"{name} {amount(value, estimate.metric)}" for name, value in estimate.parts.items() if value]
    return f"{METRIC_WORDS[estimate.metric].capitalize()}: {', '.join(shares)}." if shares else ""


def published(estimate: Estimate) -> str:
    """Write how likely great losses are and what was published of the like; empty where nothing is known."""
    risks = ", ".join(f"{event} with a probability of {share:.0%}" for event, share in estimate.risks.items())
    told = f"{METRIC_WORDS[estimate.metric].capitalize()}: {risks}." if risks else ""
    cases = f"Nearest published: {'; '.join(estimate.nearest)}." if estimate.nearest else ""
    return " ".join(filter(None, (told, cases)))


def ratio(value: float) -> str:
    """Write a gain: 2.10x means half the cost of the baseline."""
    return f"{three(value)}x"


def gain(value: Gain) -> str:
    """Write a gain with its interval."""
    if value.metric is Metric.ACCURACY:
        return ""
    low, high = ratio(value.low), ratio(value.high)
    return ratio(value.mid) + (f" ({low} to {high})" if low != high else "")


def where(plan: Plan) -> str:
    """Write the execution path of a plan so that it may break across lines."""
    return f"{plan.runtime} {plan.unit}"


def limit(value: Limit) -> str:
    """Write a limit."""
    if value.metric is Metric.ACCURACY:
        return f"accuracy loss at most {value.bound:.4g} pp"
    if value.sustained:
        return f"a result every {value.bound:.4g} {UNITS[value.metric]}"
    return f"{METRIC_WORDS[value.metric]} at most {value.bound:.4g} {UNITS[value.metric]}"


def goal(value: Goal) -> str:
    """Write a goal with its limits and means in one line."""
    means = [f"effort up to {value.budget}", f"batch {value.batch}"]
    if value.threads:
        means.append(f"{value.threads} threads")
    if value.runtime:
        means.append(f"only {value.runtime}")
    if value.power_mode:
        means.append(f"power mode {value.power_mode}")
    limits = [limit(one) for one in value.limits] or ["no limits"]
    return "; ".join((value.kind, *limits, *means))


def leading_metric(value: Goal) -> Metric:
    """Return the metric whose gain a ranking shows for this goal."""
    return _GOAL_METRICS[value.kind]


def megabytes(count: float) -> str:
    """Write bytes as MB (1e6 bytes)."""
    return f"{three(count / 1e6)} MB"


def shape(sizes: Iterable[int]) -> str:
    """Write a shape as 1x3x224x224."""
    return "x".join(str(size) for size in sizes)


def original_line(facts: dict[str, Any], original: Preview) -> str:
    """Write what the original model is in one line."""
    return model_line(facts, original.params, original.macs, original.weight_bytes, original.input_shapes)


def model_line(
    facts: dict[str, Any], params: int, macs: int, weight_bytes: int, shapes: tuple[tuple[int, ...], ...]
) -> str:
    """Write what a model is in one line."""
    family = str(facts.get("model.family", "")).replace("_", " ").replace("cnn", "CNN").replace("vit", "ViT")
    counts = [f"{si(params)} parameters", f"{si(macs)} MACs", f"{megabytes(weight_bytes)} of weights"]
    return ", ".join([*([family] if family else []), *counts, *(f"input {shape(one)}" for one in shapes)])


def fate(candidate: Candidate) -> str:
    """Write what became of a candidate in a word or two."""
    if candidate.status == "dominated" and candidate.dominated_by is not None:
        return f"behind {candidate.dominated_by}"
    if candidate.status == "feasible" and candidate.pareto:
        return "trade-off"
    return {"recommended": "best"}.get(candidate.status, candidate.status)


def more(count: int) -> str:
    """Say how many lines a page leaves to --json; empty where it shows all."""
    return f"{count} more with --json." if count > 0 else ""


def setting(value: Any) -> str:
    """Write a fact or a setting of a step."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(sorted(str(item) for item in value)) or "none"
    return str(value)
