"""Answers to why, why not, what if, what would change the winner, and whether a stored decision still holds."""

from typing import Literal

from .base import Record
from .estimate import Estimate, Metric
from .recommendation import Candidate, Recommendation
from .rule import Finding


class Flip(Record):
    """A rule or limit whose outcome changed between two sets of facts, for one plan."""

    plan: str
    what: str  # "HW-05" or "limit latency_ms"
    before: str
    after: str


class FigureChange(Record):
    """A predicted figure before and after; None where there is none."""

    metric: Metric
    before: Estimate | None
    after: Estimate | None


class Counterfactual(Record):
    """One change that makes another plan win, confirmed by asking again with it and just short of it.

    `change` and `short_of` are written as --what-if takes them; `short_of` is empty where nothing lies between.
    """

    kind: Literal["limit", "fact", "goal", "device"]
    change: str
    short_of: str = ""
    before: str  # the present value in words
    size: float
    winner: int | None  # None: no plan is left
    plan: str  # the new winner with its path
    because: tuple[str, ...]  # rules and limits that turn for the old or the new winner, or the score
    note: str = ""


class Explanation(Record):
    """The answer to one question about a recommendation. `answer` is plain sentences, most important first.

    `points` is what each rule adds to the score of the candidate, 0 where another rule speaks for the same evidence.
    """

    question: str
    answer: tuple[str, ...]
    candidate: Candidate | None = None
    findings: tuple[Finding, ...] = ()
    points: dict[str, float] = {}
    flips: tuple[Flip, ...] = ()
    figures: tuple[FigureChange, ...] = ()  # of the winner before and after a what-if
    counterfactuals: tuple[Counterfactual, ...] = ()
    after: Recommendation | None = None  # the new recommendation of a what-if


class RuleChange(Record):
    """What became of a rule since a decision was stored."""

    rule: str
    what: Literal["changed", "new", "gone"]


class Version(Record):
    """A version that a decision rests on, when it was stored and now."""

    what: str
    stored: str
    now: str


class Comparison(Record):
    """A stored decision beside the one that the same question gets now."""

    how: str
    same: bool  # winner, ranking, rules, limits and figures
    same_winner: bool
    winner: str  # one sentence
    moved: tuple[str, ...] = ()  # plans that changed places among those possible
    flips: tuple[Flip, ...] = ()
    figures: tuple[str, ...] = ()  # plans with other predicted figures, in words
    plans: tuple[str, ...] = ()  # plans that only one of the two knows


class Replay(Record):
    """Whether a stored decision still holds, and what changed."""

    same: bool
    answer: tuple[str, ...]
    versions: tuple[Version, ...]
    rules: tuple[RuleChange, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
