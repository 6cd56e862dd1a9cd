"""What a technique costs in points, how sure that is, how likely a failure, and what it rests on."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .alike import Numbers, removed
from .case import QUANTIZED, TECHNIQUES, Case, components
from .levels import DISTIL, bent, branch_of, unbent
from .nearest import nearest
from .spread import SUPPORTS, WORDS, added, losing, span
from .store import Branch, fitted

NOTICEABLE, RUINOUS = 1.0, 5.0  # points
# Probability of losing more than 5 points from which a plan is flagged (chosen in docs/accuracy-prediction.md).
AT_RISK = 0.15
_BIASED = ("prune", "low rank")  # papers quote the operating point that works
_FAR = 1.15  # beyond the largest published amount by this factor a question is out of the evidence's range
_AROUND = 60  # published results that an answer looks at
_STRETCH = 1.5  # how far outcomes move from the middle there


@dataclass(frozen=True)
class Reply:
    """A prediction in points: an 80 % interval, probabilities, and what it rests on."""

    low: float
    mid: float
    high: float
    over_1: float
    over_5: float
    support: str
    n: int  # results that the model was fitted on
    networks: int
    sources: tuple[str, ...]
    basis: str
    cases: tuple[str, ...]
    terms: tuple[tuple[str, float], ...] = ()  # the named terms that move the middle most, in points

    @property
    def at_risk(self) -> bool:
        """Whether a loss of more than 5 points must be reckoned with."""
        return self.over_5 >= AT_RISK


class Unanswerable(Exception):
    """Why there is no prediction."""


@dataclass(frozen=True)
class _Part:
    case: Case
    branch: Branch
    terms: dict[str, float]
    order: Sequence[int]  # of the published results, the most alike first
    mid: float
    outcomes: Numbers
    support: str
    remark: str
    networks: int


@lru_cache(maxsize=4096)
def answer(case: Case, setting: str = "") -> Reply:
    """Predict the change of a case; `setting` holds the parts of a combination. Raises Unanswerable."""
    if case.technique == "combo":
        steps = components(case, setting)
        if not steps:
            raise Unanswerable("the setting of a combination names its parts: combo=prune+ptq")
    elif case.technique not in TECHNIQUES:
        raise Unanswerable(f"unknown technique {case.technique!r}; known: {', '.join(TECHNIQUES)}")
    else:
        steps = [case]
    parts = [_part(step) for step in steps]
    remarks = []
    if len(parts) > 1 and any(p.branch.name == DISTIL for p in parts):
        # A teacher in the recovery of another step makes up for loss; it does not lift the network above itself.
        parts = [p for p in parts if p.branch.name != DISTIL] or parts
        remarks.append("a teacher in the recovery is not counted as a gain")
    if len(parts) > 1:
        remarks.append("the steps' errors are added: 64 published pairs of pruning and PTQ differ from the sum by 0.0 "
                       "(-0.6 .. +0.9); for other pairs that is assumed")  # fmt: skip
    return _reply(case, parts, remarks)


def _part(case: Case) -> _Part:
    name = branch_of(case)
    if name is None:
        raise Unanswerable(f"nothing published was fitted for {case.technique}")
    branch = fitted()[name]
    least, most = _bounds(case)
    alike = branch.like.row(case, branch.name)
    terms = branch.terms(case, alike)
    predicted = min(max(sum(terms.values()), bent(least)), bent(most))
    spread = branch.spread(case, predicted)
    mid = min(max(unbent(predicted), least), most)
    outcomes = np.minimum(spread.points(predicted, least), most)
    remark = _out_of_range(branch, case)
    if remark:
        outcomes = np.clip(mid + (outcomes - mid) * _STRETCH, least, most)
    order = np.argsort(-alike, kind="stable")[:_AROUND].tolist()
    return _Part(case, branch, terms, order, mid, outcomes, branch.support(case), remark, spread.networks)


def _bounds(case: Case) -> tuple[float, float]:
    """A network cannot lose more than it has, nor gain more than there is."""
    base = case.baseline if 0 < case.baseline <= 100 else 0.0
    return (-base, 100 - base) if base else (-100.0, 30.0)


def _out_of_range(branch: Branch, case: Case) -> str:
    alike = branch.recipes == case.recipe
    if not alike.any():
        what = f"{case.technique} at {case.bits}" if case.technique in QUANTIZED else case.recipe
        return f"nobody published {what}: others answer, with more doubt"
    most = float(branch.like.place[alike].max())
    if case.technique in QUANTIZED or unbent(removed(case, branch.name)) <= unbent(most) * _FAR:
        return ""
    return "more is removed than anybody published: a wider interval"


def _reply(case: Case, parts: Sequence[_Part], remarks: list[str]) -> Reply:
    outcomes = parts[0].outcomes
    for part in parts[1:]:
        outcomes = added(outcomes, part.outcomes)
    least, most = _bounds(case)
    mid = min(max(sum(p.mid for p in parts), least), most)
    low, mid, high = span(np.clip(outcomes, least, most), mid)
    networks = min(p.networks for p in parts)
    support = max((p.support for p in parts), key=SUPPORTS.index)
    remarks += [p.remark for p in parts if p.remark]
    if any(p.branch.name in _BIASED for p in parts):
        remarks.append("papers publish what worked: plan with the low end")
    rows = sum(len(p.branch.rows) for p in parts)
    networks_all = max(p.branch.networks for p in parts)
    basis = f"fitted on {rows} published results of {networks_all} networks; {WORDS[support]}"
    cases = tuple(
        str(near) for p in parts for near in nearest(p.branch, p.case, p.order)[: 3 if len(parts) == 1 else 2]
    )
    return Reply(
        low, mid, high, losing(outcomes, NOTICEABLE, networks), losing(outcomes, RUINOUS, networks), support, rows,
        networks_all, _sources(parts), "; ".join([basis, *dict.fromkeys(remarks)]), cases, _telling(parts[0]),
    )  # fmt: skip


def _sources(parts: Sequence[_Part]) -> tuple[str, ...]:
    """Return the sources of the most alike results, at most three for each part."""
    found = [part.branch.rows[i].source for part in parts for i in part.order]
    return tuple(dict.fromkeys(found))[: 3 * len(parts)]


def _telling(part: _Part) -> tuple[tuple[str, float], ...]:
    """Return the terms that move the middle most, in points: what would change were they not there."""
    terms, whole = part.terms, sum(part.terms.values())
    moved = {name: unbent(whole) - unbent(whole - value) for name, value in terms.items() if name != "usual"}
    top = sorted(moved.items(), key=lambda item: (-abs(item[1]), item[0]))[:4]
    return tuple((name, round(value, 2)) for name, value in top if abs(value) >= 0.05)
