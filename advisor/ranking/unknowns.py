"""What is not known and would matter most to know."""

from collections import Counter
from collections.abc import Sequence

from advisor.schema import Candidate, Finding

_WEIGHT = {"veto": 3.0, "require": 3.0, "prefer": 1.0, "avoid": 1.0, "estimate": 0.5, "warn": 0.5, "procedure": 0.25}


def most_wanted(ranked: Sequence[Candidate], case_findings: Sequence[Finding], count: int = 5) -> tuple[str, ...]:
    """Return the missing facts of the best plans, those first on which vetoes and well founded rules wait."""
    score: Counter[str] = Counter()
    rules: dict[str, set[str]] = {}
    best = [c for c in ranked if not c.rejected_by][:5]
    for finding in [f for c in best for f in c.findings] + list(case_findings):
        for fact in finding.missing:
            score[fact] += _WEIGHT.get(finding.kind, 0.5) * (finding.weight or 0.5)  # type: ignore[assignment]
            rules.setdefault(fact, set()).add(finding.rule)
    return tuple(f"{fact} (asked by {', '.join(sorted(rules[fact])[:4])})" for fact, _ in score.most_common(count))
