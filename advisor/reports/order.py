"""The order in which the steps of a plan are told, read from `knowledge/procedure_order.yaml`."""

from collections.abc import Iterable
from functools import cache

from advisor.resources import data_dir, read_yaml
from advisor.schema import Finding

STAGES = ("before", "during", "after")


@cache
def places() -> dict[str, tuple[int, int]]:
    """Map ids and prefixes of rules to stage and place within it."""
    path = data_dir("knowledge") / "procedure_order.yaml"
    stages = read_yaml(path)
    return {mark: (s, place) for s, stage in enumerate(STAGES) for place, mark in enumerate(stages[stage])}


def in_stages(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """Sort procedures into stages; a rule without a place belongs to carrying the plan out."""
    ordered = sorted(findings, key=lambda finding: (_place(finding.rule), finding.rule))
    return {name: [f for f in ordered if _place(f.rule)[0] == number] for number, name in enumerate(STAGES)}


def _place(rule: str) -> tuple[int, int]:
    known = places()
    return known.get(rule) or known.get(rule.split("-", maxsplit=1)[0]) or (STAGES.index("during"), len(known))
