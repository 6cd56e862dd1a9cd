"""What the rules that spoke of a plan promised, beside what was measured: nothing is changed by it, it is reported."""

from collections.abc import Iterable, Mapping

from advisor.learning.agreement.claims import claim_of
from advisor.learning.agreement.settings import load_settings
from advisor.rules import RuleBase
from advisor.schema import Finding, Metric, RunRecord, Truth

from .outcome import Effect

_OF_THE_DEVICE = (Metric.LATENCY, Metric.ENERGY, Metric.MEMORY)


def effects(
    run: RunRecord, findings: Iterable[Finding], base: RuleBase | None, *, on_target: bool
) -> tuple[Effect, ...]:
    """Hold every rule that fired for the plan and claims something measurable against the run.

    Where another device than the target measured (`on_target` false), only size and accuracy tell anything.
    """
    seen = {m: value for m, value in observed(run).items() if on_target or m not in _OF_THE_DEVICE}
    if base is None or not seen:
        return ()
    judged, rules = load_settings().judged, {entry.rule.id: entry for entry in base}
    found = []
    for finding in findings:
        entry = rules.get(finding.rule)
        if finding.truth is not Truth.TRUE or finding.weight <= 0 or entry is None:
            continue
        claim = claim_of(entry.rule, judged)
        of_the_plan = any(name.startswith("plan.") for name in entry.names)
        if claim is None or not of_the_plan or claim.metric not in seen:
            continue
        value = seen[Metric(claim.metric)]
        found.append(
            Effect(rule=finding.rule, certainty=finding.certainty, claim=f"{claim.metric}: {claim.words}", seen=value,
                   held=claim.holds(value))
        )  # fmt: skip
    return tuple(found)


def observed(run: RunRecord) -> Mapping[Metric, float]:
    """Return the measured effects of the plan: baseline over candidate for costs, points for accuracy."""
    found: dict[Metric, float] = {}
    for measured in run.measurements:
        if not measured.conclusive:
            continue
        if measured.metric is Metric.ACCURACY:
            top1 = run.data is None or run.data.metric == "top-1"
            if top1 and run.environment.get("random_weights") != "true":
                found[measured.metric] = measured.value
        elif measured.baseline_value and measured.value > 0:
            found[measured.metric] = measured.baseline_value / measured.value
    return found
