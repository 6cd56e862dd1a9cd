"""The page of a table of predicted accuracies: the first rows, how many were answered, and how they compare."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .page import Column, Facts, Items, Page, Table, filled

if TYPE_CHECKING:
    from advisor.bulk.accuracy import AccuracyLine, AccuracySummary

_SHOWN = 20


def accuracies_page(lines: "Sequence[AccuracyLine]", summary: "AccuracySummary", output: Path | None) -> Page:
    """Lay out the summary; the rows themselves where they are few or go nowhere else."""
    pairs = [("answered", f"{summary.answered} of {summary.total} rows"),
             ("at risk of losing more than 5 points", f"{summary.at_risk} rows")]  # fmt: skip
    if output is not None:
        pairs.append(("written to", str(output)))
    errors = summary.errors
    if errors is not None:
        pairs += [
            ("mean error against delta", f"{errors.mean_error:.2f} points over {errors.n} rows"),
            ("inside the 80 % interval", f"{errors.inside:.0%}"),
            ("losses over 5 points flagged", f"{errors.flagged:.0%} of {errors.failures}; {errors.false_alarms:.0%} "
             "false alarms among the others"),
            ("note", "the table's own rows may be among the results that the model was fitted on"),
        ]  # fmt: skip
    blocks = (
        _rows(lines) if output is None else None,
        Facts(tuple(pairs)),
        Items(tuple(f"{count} x {why}" for why, count in summary.reasons.items()), "Not answered"),
    )
    return Page("Predicted changes of accuracy", filled(tuple(block for block in blocks if block is not None)))


def _rows(lines: "Sequence[AccuracyLine]") -> Table:
    columns = (
        Column("network", wrap=True), Column("technique"), Column("points", right=True),
        Column("80 % interval", right=True), Column("over 1", right=True), Column("over 5", right=True),
        Column("nearest published", wrap=True),
    )  # fmt: skip
    more = len(lines) - _SHOWN
    note = "over 1, over 5: probability of losing more than that many points"
    note += f"; {more} more rows, -o FILE writes all" if more > 0 else ""
    return Table(columns, tuple(_row(line) for line in lines[:_SHOWN]), note=note)


def _row(line: "AccuracyLine") -> tuple[str, ...]:
    network = line.row.get("arch") or line.row.get("model", "")
    technique, reply = line.row.get("technique", ""), line.reply
    if reply is None:
        return (network, technique, "-", "-", "-", "-", line.why)
    return (network, technique, f"{reply.mid:+.2f}", f"{reply.low:+.2f} to {reply.high:+.2f}", f"{reply.over_1:.0%}",
            f"{reply.over_5:.0%}", reply.cases[0] if reply.cases else "")  # fmt: skip
