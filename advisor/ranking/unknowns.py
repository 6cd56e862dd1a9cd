"""What is not known and rules wait for, the most weighty first."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from advisor.schema import Candidate, Finding, Recommendation, Wanted

from .weights import load_weights

_PLANS = 5  # of the best ones count
_TOLD = 5
_TURNS = 2  # told of each


def most_wanted(ranked: Sequence[Candidate], case_findings: Sequence[Finding]) -> tuple[Wanted, ...]:
    """Return the missing facts of the best plans, those first on which vetoes and well founded rules wait."""
    weights, score = load_weights().waiting, defaultdict[str, float](float)
    rules: dict[str, set[str]] = {}
    for finding in _waiting(ranked, case_findings):
        for fact in finding.missing if finding.weight else ():  # a rule that is set aside waits for nothing
            score[fact] += weights[finding.kind] * finding.weight
            rules.setdefault(fact, set()).add(finding.rule)
    return tuple(
        Wanted(fact=fact, asked_by=tuple(sorted(rules[fact]))) for fact in sorted(score, key=lambda name: -score[name])
    )


def _waiting(ranked: Sequence[Candidate], case_findings: Sequence[Finding]) -> Iterator[Finding]:
    for candidate in [c for c in ranked if not c.rejected_by][:_PLANS]:
        yield from candidate.findings
    yield from case_findings


def with_unknowns(recommendation: Recommendation, wanted: Sequence[Wanted]) -> Recommendation:
    """Return the recommendation with what is not known, as records, and the first of them in words."""
    told = tuple(in_words(one) for one in wanted[:_TOLD])
    return recommendation.model_copy(update={"wanted": tuple(wanted), "unknown": told})


def in_words(wanted: Wanted) -> str:
    """Write '... (asked by ...): at 0, #4 would win. How to settle it.'."""
    text = f"{wanted.fact} (asked by {', '.join(wanted.asked_by[:4])})"
    if wanted.decides:
        more = len(wanted.decides) - _TURNS
        text += f": {'; '.join(wanted.decides[:_TURNS])}" + (f"; {more} more" if more > 0 else "")
    return f"{text}. {wanted.settle}" if wanted.settle else text
