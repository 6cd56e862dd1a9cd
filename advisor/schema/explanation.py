"""Answers to why, why not and what if."""

from .base import Record
from .recommendation import Candidate, Recommendation
from .rule import Finding


class Flip(Record):
    """A rule or limit whose outcome changed between two sets of facts, for one plan."""

    plan: str
    what: str  # "HW-05" or "limit latency_ms"
    before: str
    after: str


class Explanation(Record):
    """The answer to one question about a recommendation. `answer` is plain sentences, most important first."""

    question: str
    answer: tuple[str, ...]
    candidate: Candidate | None = None
    findings: tuple[Finding, ...] = ()
    flips: tuple[Flip, ...] = ()
    after: Recommendation | None = None  # the new recommendation of a what-if
