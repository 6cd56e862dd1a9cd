"""Accuracy of a whole table: one row, one change in points with its probabilities, or one reason why not."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from statistics import median

from advisor.prediction.accuracies.answer import AT_RISK, RUINOUS, Reply, Unanswerable, answer
from advisor.prediction.accuracies.case import TECHNIQUES, case_of
from advisor.progress import Progress, Silent
from advisor.schema import Record

from .tables import read_table, write_rows

ADDED = ("delta_low", "delta_mid", "delta_high", "p_loss_over_1", "p_loss_over_5", "at_risk", "basis", "nearest", "why")
_NETWORK = ("arch", "model", "network")
_FURTHER = "model, arch, task, dataset, metric, technique, setting (key=value;...), toolkit, baseline"
_ERRORS = ("rmse", "mae", "absrel", "epe")
_REASONS = 8


@dataclass(frozen=True)
class AccuracyLine:
    """A row and what was predicted for it, in points of its metric, or the reason why nothing was."""

    row: Mapping[str, str]
    reply: Reply | None = None
    why: str = ""

    @property
    def added(self) -> dict[str, str]:
        """The new columns as text."""
        reply = self.reply
        if reply is None:
            return {**dict.fromkeys(ADDED, ""), "why": self.why}
        numbers = (reply.low, reply.mid, reply.high, reply.over_1, reply.over_5)
        texts = {name: f"{value:.3f}" for name, value in zip(ADDED, numbers, strict=False)}
        risk, cases = "yes" if reply.at_risk else "no", " | ".join(reply.cases)
        return {**texts, "at_risk": risk, "basis": reply.basis, "nearest": cases, "why": ""}


class AccuracyErrors(Record):
    """Predictions against the table's own `delta`, in points."""

    n: int
    mean_error: float
    median_error: float
    inside: float  # share of published changes inside the 80 % interval
    failures: int  # rows that lost more than 5 points
    flagged: float  # share of them that were flagged
    false_alarms: float  # share of the others that were


class AccuracySummary(Record):
    """Counts of a table; `errors` only where the table states changes."""

    total: int
    answered: int
    at_risk: int
    by_support: dict[str, int]
    reasons: dict[str, int]
    errors: AccuracyErrors | None = None


def predict_accuracies(
    table: Path | str | Sequence[Mapping[str, str]],
    output: Path | str | None = None,
    *,
    progress: Progress | None = None,
) -> list[AccuracyLine]:
    """Predict the change in accuracy of every row: a CSV file or rows as mappings; `output` is written as CSV.

    Columns: model or arch, technique; task, dataset, metric, setting (key=value;...), toolkit, baseline (in the
    metric's unit) where they are known. A row that has no answer has `reply` None and says `why`.
    """
    rows = table
    if isinstance(table, (str, Path)):
        rows = read_table(Path(table), ("technique",), _NETWORK, _FURTHER)
    assert not isinstance(rows, (str, Path))
    listener = progress or Silent()
    listener.start("predicting", len(rows))
    lines = []
    for row in rows:
        lines.append(_line(row))
        listener.advance(1)
    listener.finish()
    if output is not None:
        write_rows(Path(output), [line.row for line in lines], [line.added for line in lines], ADDED)
    return lines


def _line(row: Mapping[str, str]) -> AccuracyLine:
    why = _unusable(row)
    if why:
        return AccuracyLine(row, why=why)
    case = case_of(row)
    try:
        return AccuracyLine(row, answer(case, row.get("setting", "")))
    except Unanswerable as reason:
        return AccuracyLine(row, why=str(reason))


def _unusable(row: Mapping[str, str]) -> str:
    """Say what is wrong with a row before anything is predicted; empty where nothing is."""
    if not any(row.get(name, "").strip() for name in _NETWORK):
        return "the row names no network (model or arch)"
    if not row.get("technique", "").strip():
        return f"the row names no technique; known: {', '.join(TECHNIQUES)}"
    baseline = row.get("baseline", "").strip()
    try:
        if baseline and not isfinite(float(baseline)):
            return f"baseline is {baseline!r}, not a finite number"
    except ValueError:
        return f"baseline is {baseline!r}, not a number"
    metric = row.get("metric", "").strip().lower()
    if metric.startswith(_ERRORS):
        return f"{metric} is an error, less is better: only scores are predicted"
    return ""


def summarised(lines: Sequence[AccuracyLine]) -> AccuracySummary:
    """Count answers and reasons, and compare with the table's own changes where it states any."""
    replies = [line.reply for line in lines if line.reply is not None]
    reasons = Counter(line.why for line in lines if line.reply is None)
    return AccuracySummary(
        total=len(lines), answered=len(replies), at_risk=sum(r.at_risk for r in replies),
        by_support=dict(Counter(r.support for r in replies).most_common()), reasons=dict(reasons.most_common(_REASONS)),
        errors=_errors(lines),
    )  # fmt: skip


def _errors(lines: Sequence[AccuracyLine]) -> AccuracyErrors | None:
    pairs = [
        (line.reply, truth) for line in lines if line.reply is not None and (truth := _truth(line.row)) is not None
    ]
    if not pairs:
        return None
    wrong = [abs(reply.mid - truth) for reply, truth in pairs]
    failed = [reply.at_risk for reply, truth in pairs if truth < -RUINOUS]
    fine = [reply.at_risk for reply, truth in pairs if truth >= -RUINOUS]
    return AccuracyErrors(
        n=len(pairs), mean_error=sum(wrong) / len(wrong), median_error=median(wrong),
        inside=sum(reply.low - 0.005 <= truth <= reply.high + 0.005 for reply, truth in pairs) / len(pairs),
        failures=len(failed), flagged=sum(failed) / max(len(failed), 1), false_alarms=sum(fine) / max(len(fine), 1),
    )  # fmt: skip


def _truth(row: Mapping[str, str]) -> float | None:
    try:
        return float(row["delta"])
    except (KeyError, ValueError):
        return None


__all__ = ["ADDED", "AT_RISK", "AccuracyLine", "AccuracySummary", "predict_accuracies", "summarised"]
