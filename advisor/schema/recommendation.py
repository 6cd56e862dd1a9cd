"""The answer: every candidate with its estimates, findings and fate, and the one that is recommended."""

from functools import cached_property
from typing import Any, Literal

from pydantic import Field, field_serializer, model_validator

from .base import Record
from .estimate import Estimate, Gain, Metric
from .goal import Goal, Limit
from .intake import Intake
from .plan import Plan
from .probe import ProbeRecord
from .rule import AddedRules, Finding

Status = Literal["recommended", "feasible", "dominated", "rejected"]


def ordered(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts with sets as sorted lists."""
    return {name: sorted(value) if isinstance(value, set | frozenset) else value for name, value in facts.items()}


class Preview(Record):
    """What the network will look like after a plan's steps, counted on the transformed workload."""

    macs: int = Field(ge=0)
    params: int = Field(ge=0)
    weight_bytes: int = Field(ge=0)
    peak_activation_bytes: int = Field(ge=0)
    input_shapes: tuple[tuple[int, ...], ...]
    precision: str  # fp32, fp16, bf16, int8 (static), int8-dynamic, w8, w4
    notes: tuple[str, ...] = ()


class LimitCheck(Record):
    """One limit against one candidate. `probability` of meeting it comes from the estimate's interval."""

    limit: Limit
    estimate: Estimate | None
    met: bool | None  # None: cannot be known
    probability: float | None  # of meeting the limit
    needed: str  # "latency must fall from 41.0 ms to 33.0 ms"


class Candidate(Record):
    """A plan with everything that is known about it."""

    number: int
    plan: Plan
    preview: Preview
    estimates: dict[Metric, Estimate]
    gains: dict[Metric, Gain] = {}
    compared: dict[Metric, float] = {}  # costs on one yardstick, for the score (ranking.yardstick)
    findings: tuple[Finding, ...] = ()
    limits: tuple[LimitCheck, ...] = ()
    status: Status = "feasible"
    rejected_by: tuple[str, ...] = ()  # "HW-05: ..." or "limit latency_ms: ..."
    dominated_by: int | None = None
    pareto: bool = False
    utility: float | None = None
    terms: dict[str, float] = {}  # the utility's parts
    effort: float = 0.0  # E: one full training = 1
    appliable: bool = True
    remark: str = ""
    facts: dict[str, Any] = {}  # plan.* and rt.* facts, so that rules can be asked again without the model

    @field_serializer("facts")
    def _in_order(self, facts: dict[str, Any]) -> dict[str, Any]:
        return ordered(facts)


class ReadyMade(Record):
    """A smaller published network in the place of the original, in the recommended plan's runtime and precision."""

    network: str
    plan: str  # what is done to it: "swap for mobilenetv3_large_100 + half"
    top1: float  # published, percent on ImageNet-1k
    latency: Estimate
    accuracy: Estimate  # against the original
    verdict: str  # in words, against the recommended plan


class Wanted(Record):
    """A fact that is not known, and what knowing it would do."""

    fact: str
    about: str = ""
    asked_by: tuple[str, ...] = ()  # rules that wait for it
    decides: tuple[str, ...] = ()  # values that would change the winner, in words; empty if none would
    settle: str = ""  # the command that measures it, or where the answer is found


class Recommendation(Record):
    """A decision with all that is needed to replay and to question it.

    Version 2 added `rule_digests` and `wanted`; files of version 1 do not name theirs.
    """

    version: int = Field(default=1, ge=1, le=2)
    engine: str  # advisor's version
    knowledge: str  # version and digest of the rule base
    added_rules: tuple[AddedRules, ...] = ()  # rules of the user's own that took part
    profile: str  # device id, version and digest
    created: str  # ISO 8601, UTC
    model: str
    model_source: str
    model_spec: dict[str, Any] = {}  # what is needed to load it again (source, arch, checkpoint, input, digest)
    intake: Intake | None = None  # what the model is; absent where only a workload was given
    device: str
    goal: Goal
    facts: dict[str, Any]
    original: Preview
    candidates: tuple[Candidate, ...]
    winner: int | None  # number of the recommended candidate
    baseline: int  # number of the candidate that gains refer to where a candidate names no other
    case_findings: tuple[Finding, ...] = ()
    nearest: tuple[str, ...] = ()  # where no plan meets the limits: which limit binds, what would be nearest
    ready_made: tuple[ReadyMade, ...] = ()  # what smaller published networks would give in the winner's place
    wanted: tuple[Wanted, ...] = ()  # facts that would matter most to measure next
    unknown: tuple[str, ...] = ()  # the same in words
    probe: ProbeRecord | None = None  # what a look at the model and images of the user showed
    rule_digests: dict[str, str] = {}  # what every rule said then, as a short digest by its id
    notes: tuple[str, ...] = ()

    @field_serializer("facts")
    def _in_order(self, facts: dict[str, Any]) -> dict[str, Any]:
        """Sets have no order of their own; written in order, the same decision is the same file."""
        return ordered(facts)

    @model_validator(mode="after")
    def _names_its_candidates(self) -> "Recommendation":
        numbers = {c.number for c in self.candidates}
        for what, number in (("winner", self.winner), ("baseline", self.baseline)):
            if number is not None and number not in numbers:
                raise ValueError(f"{what} {number} is not among the candidates")
        return self

    @cached_property
    def by_number(self) -> dict[int, Candidate]:
        """Candidates by number."""
        return {c.number: c for c in self.candidates}

    @property
    def recommended(self) -> Candidate | None:
        """The recommended candidate."""
        return None if self.winner is None else self.by_number[self.winner]
