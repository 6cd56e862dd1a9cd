"""The page of a table of predictions: the first rows, how many were answered, and how they compare."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.units import three

from .page import Column, Facts, Items, Page, Table, filled

if TYPE_CHECKING:
    from advisor.bulk import Line
    from advisor.bulk.summary import Summary

_SHOWN = 20


def predictions_page(lines: "Sequence[Line]", summary: "Summary", output: Path | None) -> Page:
    """Lay out the summary; the rows themselves where they are few or go nowhere else."""
    pairs = [("answered", f"{summary.answered} of {summary.total} rows")]
    pairs += [(basis, f"{count} rows") for basis, count in summary.by_basis.items()]
    if output is not None:
        pairs.append(("written to", str(output)))
    blocks = (
        _rows(lines) if output is None else None,
        Facts(tuple(pairs)),
        _errors(summary) if summary.errors else None,
        Items(tuple(f"{count} x {why}" for why, count in summary.reasons.items()), "Not answered"),
    )
    return Page("Predicted latencies", filled(tuple(block for block in blocks if block is not None)))


def _rows(lines: "Sequence[Line]") -> Table:
    columns = (
        Column("device", wrap=True), Column("network", wrap=True), Column("ms", right=True),
        Column("80 % interval", right=True), Column("basis"),
    )  # fmt: skip
    more = len(lines) - _SHOWN
    note = f"{more} more rows; -o FILE writes all" if more > 0 else ""
    return Table(columns, tuple(_row(line) for line in lines[:_SHOWN]), note=note)


def _row(line: "Line") -> tuple[str, ...]:
    network = line.row.get("arch") or line.row.get("model", "")
    if line.mid is None or line.low is None or line.high is None:
        return (line.row.get("device", ""), network, "-", "-", "none")
    return (line.row["device"], network, three(line.mid), f"{three(line.low)} to {three(line.high)}", line.basis)


def _errors(summary: "Summary") -> Table:
    columns = (
        Column("basis"), Column("rows", right=True), Column("median error", right=True), Column("in 10 %", right=True),
        Column("in 25 %", right=True), Column("in interval", right=True), Column("high/low", right=True),
    )  # fmt: skip
    rows = tuple(
        (
            e.basis, str(e.n), f"{e.median_error:.1%}", f"{e.within_10:.0%}", f"{e.within_25:.0%}", f"{e.inside:.0%}",
            f"{e.width:.2f}",
        )
        for e in summary.errors
    )  # fmt: skip
    note = "published: the table's own rows may be among the measurements that answer them"
    return Table(columns, rows, "Against latency_ms of the table", note)
