"""Which candidates are beaten in every respect by another one."""

from collections.abc import Mapping, Sequence

from advisor.schema import Candidate, Metric

from .utility import rule_balance
from .weights import Ties
from .yardstick import COSTS, cost


def _compare(a: Candidate, b: Candidate, ties: Ties) -> tuple[bool, bool]:
    """Return (a is nowhere clearly worse, a is somewhere clearly better) than b, the rules' advice left aside."""
    no_worse, better = True, False
    for metric in COSTS:
        left, right = cost(a, metric), cost(b, metric)
        if left is None and right is None:
            continue
        if left is None or right is None:  # one of them is unknown there: not comparable
            return False, False
        ratio = left / right if right > 0 else 1.0
        tie = getattr(ties, metric.value)
        no_worse &= ratio <= tie
        better |= ratio < 1 / tie
    mine, other = a.estimates.get(Metric.ACCURACY), b.estimates.get(Metric.ACCURACY)
    if (mine is None) != (other is None):
        return False, False
    if mine is not None and other is not None:
        no_worse &= mine.mid >= other.mid - ties.accuracy_pp
        better |= mine.mid > other.mid + ties.accuracy_pp
    no_worse &= a.effort <= b.effort + 1e-9
    better |= a.effort < b.effort - 1e-9
    return no_worse, better


def dominates(a: Candidate, b: Candidate, ties: Ties, balance: Mapping[int, float]) -> bool:
    """Whether `a` is nowhere worse than `b` (metrics, effort, rules) and clearly better in a metric or effort.

    `balance` holds the rules' advice by number of candidate.
    """
    # Rules know what estimates do not; a plan that they advise against beats nobody that they advise.
    if balance[a.number] < balance[b.number] - 1e-9:
        return False
    no_worse, better = _compare(a, b, ties)
    return no_worse and better


def balances(candidates: Sequence[Candidate]) -> dict[int, float]:
    """Return the rules' advice on every candidate by its number."""
    return {c.number: rule_balance(c.findings) for c in candidates}


def dominators(candidates: Sequence[Candidate], ties: Ties) -> dict[int, int]:
    """Map the number of each dominated candidate to that of one that beats it, an undominated one where possible."""
    advice = balances(candidates)
    beaten = {
        b.number: sorted(a.number for a in candidates if a is not b and dominates(a, b, ties, advice))
        for b in candidates
    }
    front = {number for number, by in beaten.items() if not by}
    return {number: next((n for n in by if n in front), by[0]) for number, by in beaten.items() if by}
