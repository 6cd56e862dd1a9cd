"""How plans and winners are named in answers."""

from collections.abc import Iterable

from advisor.schema import Candidate, Finding, Recommendation


def named(candidate: Candidate | None) -> str:
    """Name a candidate with its number and path; 'no plan' where there is none."""
    return "no plan" if candidate is None else f"#{candidate.number} {plan_name(candidate)}"


def plan_name(candidate: Candidate) -> str:
    """Name what a plan does and where it runs."""
    return f"'{candidate.plan.label}' on {candidate.plan.path}"


def outcomes(candidate: Candidate) -> dict[str, str]:
    """Return what every rule and limit says of a candidate; rules that are silent are left out."""
    limits = {
        f"limit {c.limit.metric.value}": "met" if c.met else "unknown" if c.met is None else "missed"
        for c in candidate.limits
    }
    return said(candidate.findings) | limits


def said(findings: Iterable[Finding]) -> dict[str, str]:
    """Return what rules say: that they reject, or their kind with the truth of their condition."""
    return {f.rule: "rejects" if f.rejects else f"{f.kind}: {f.truth.value}" for f in findings}


def rejecting(candidate: Candidate) -> tuple[str, ...]:
    """Return the rules and limits that reject a candidate, without their reasons."""
    return tuple(reason.split(":", 1)[0] for reason in candidate.rejected_by)


def by_plan(recommendation: Recommendation) -> dict[str, Candidate]:
    """Return the candidates by what they do and where they run: numbers differ between decisions."""
    return {c.plan.model_dump_json(): c for c in recommendation.candidates}
