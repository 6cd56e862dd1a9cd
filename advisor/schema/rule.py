"""Rules and what they say about a case."""

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from .base import Record

RuleKind = Literal["veto", "require", "prefer", "avoid", "estimate", "procedure", "warn"]
CERTAINTY = {"strong": 0.9, "moderate": 0.65, "weak": 0.35}


class RuleSource(Record):
    """What a rule rests on; `seen` tells whether the figure was read there (True) or recalled (False)."""

    ref: str
    claim: str = ""
    seen: bool = True


class RuleCases(Record):
    """One set of facts that fires the rule and one that does not; facts not named are unknown."""

    fires: dict[str, Any]
    silent: dict[str, Any]


class Rule(Record):
    """A piece of knowledge. `scope` is the question it is asked of: every candidate plan, or the case as a whole.

    Kinds: veto rules the candidate out when `when` is true; require rules it out when `when` is true and `demand` is
    false; prefer and avoid move the score by their certainty; estimate bounds a gain (`metric`, `low`, `high` as a
    ratio baseline/candidate, or points for accuracy); procedure adds `step` to the plan's instructions; warn is shown.
    """

    id: str = Field(pattern=r"^[A-Z]{2}-\d{2,3}[a-z]?$")
    title: str
    group: str
    kind: RuleKind
    scope: Literal["candidate", "case"] = "candidate"
    origin: str = Field(pattern=r"^(S1|S2|S3|X)(\+(S1|S2|S3|X))*$")
    certainty: Literal["strong", "moderate", "weak"]
    when: str
    demand: str = ""  # require: what must hold
    reason: str  # one sentence shown to the user; {fact.name} is replaced by its value
    step: str = ""  # procedure: the instruction
    metric: str = ""  # estimate: which metric
    low: float | None = None
    high: float | None = None
    checks: Literal["", "latency", "accuracy", "size"] = ""  # no estimate: what measurements can contradict the rule in
    why_sure: str = ""
    guards: str = ""  # the failure that the rule prevents
    wrong_when: str = ""
    sources: tuple[RuleSource, ...] = Field(min_length=1)
    overrides: tuple[str, ...] = ()
    same_evidence: str = ""  # rules that share this key count once
    cases: RuleCases
    since: str = "0.1.0"
    deprecated: str = ""

    @property
    def weight(self) -> float:
        """Certainty as a number."""
        return CERTAINTY[self.certainty]


class AddedRules(Record):
    """One folder of a user's rules as it was when it was read; `digest` changes with any of its rule files."""

    folder: str
    rules: tuple[str, ...]
    digest: str


class Truth(StrEnum):
    """Three-valued logic: a missing fact makes a condition unknown, not false."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


class TraceNode(Record):
    """A sub-expression with its value: `text` as written, `shown` with facts replaced by their values."""

    text: str
    shown: str
    truth: Truth
    needs: tuple[str, ...] = ()  # facts whose absence made it unknown
    passes_if: str = ""  # for a failed comparison: the value that would turn it, e.g. "<= 5"
    children: tuple["TraceNode", ...] = ()


class Finding(Record):
    """A rule applied to a case or a candidate. `truth` is that of `when`; a fired veto or unmet require rejects."""

    rule: str
    kind: RuleKind
    title: str
    origin: str
    certainty: str
    truth: Truth
    rejects: bool = False
    reason: str
    step: str = ""
    metric: str = ""
    low: float | None = None
    high: float | None = None
    weight: float = 0.0
    trace: TraceNode | None = None
    sources: tuple[RuleSource, ...] = ()
    same_evidence: str = ""
    missing: tuple[str, ...] = ()
