"""What a table of predictions amounts to: how many rows were answered, why others were not, and how far truth lies."""

from collections import Counter
from collections.abc import Sequence
from math import exp, log
from statistics import median

from advisor.schema import Record

from .predicting import Line

_TRUTH = "latency_ms"
_REASONS = 8


class Errors(Record):
    """Predictions against the table's own latencies; errors are shares of the measured time."""

    basis: str
    n: int
    median_error: float
    within_10: float
    within_25: float
    inside: float  # share of measured times inside the 80 % interval
    width: float  # median of high / low


class Summary(Record):
    """Counts of a table; `errors` only where the table states latencies."""

    total: int
    answered: int
    by_basis: dict[str, int]
    reasons: dict[str, int]  # the most frequent ones
    errors: tuple[Errors, ...] = ()


def summarised(lines: Sequence[Line]) -> Summary:
    """Count answers and reasons, and compare with measured latencies where there are any."""
    answered = [line for line in lines if line.mid is not None]
    reasons = Counter(line.why for line in lines if line.mid is None)
    return Summary(
        total=len(lines),
        answered=len(answered),
        by_basis=dict(Counter(line.basis for line in answered).most_common()),
        reasons=dict(reasons.most_common(_REASONS)),
        errors=tuple(_errors(answered)),
    )


def _errors(lines: Sequence[Line]) -> list[Errors]:
    """Compare by basis: a published figure judged by its own row is no prediction."""
    compared: dict[str, list[tuple[Line, float]]] = {}
    for line in lines:
        truth = _truth(line)
        if truth is not None:
            compared.setdefault(line.basis, []).append((line, truth))
    return [_judged(basis, pairs) for basis, pairs in compared.items()]


def _truth(line: Line) -> float | None:
    try:
        value = float(line.row.get(_TRUTH, "") or 0)
    except ValueError:
        return None
    return value if value > 0 else None


def _judged(basis: str, pairs: Sequence[tuple[Line, float]]) -> Errors:
    wrong = [abs((line.mid or 0.0) / truth - 1) for line, truth in pairs]
    inside = [(line.low or 0.0) <= truth <= (line.high or 0.0) for line, truth in pairs]
    widths = [log((line.high or 1.0) / (line.low or 1.0)) for line, _ in pairs]
    return Errors(
        basis=basis, n=len(pairs), median_error=median(wrong), within_10=sum(e < 0.1 for e in wrong) / len(pairs),
        within_25=sum(e < 0.25 for e in wrong) / len(pairs), inside=sum(inside) / len(pairs),
        width=exp(median(widths)),
    )  # fmt: skip
