"""The page of a vendor's estimate."""

from advisor.schema import VendorComparison, VendorReport
from advisor.units import counted, si

from . import words
from .page import Block, Column, Facts, Items, Line, Page, Paragraph, Span, Table, filled

MOST = 12  # operators that are listed


def vendor_page(report: VendorReport) -> Page:
    """Lay out what a vendor's tool estimates, beside the prediction of a run where there is one."""
    found = report.estimate
    total = len(found.accelerated) + len(found.fallen)
    facts: tuple[tuple[str, Line], ...] = (
        ("file", f"{found.file}, {si(found.macs)} MACs"),
        ("estimator", f"{found.estimator}: {', '.join(found.settings.values())}"),
        ("accelerated", f"{len(found.accelerated)} of {counted(total, 'operator')}"),
        ("cycles", ", ".join(f"{name} {si(count)}" for name, count in found.cycles.items() if count)),
    )
    listed = tuple(found.reasons or found.fallen)
    blocks: tuple[Block | None, ...] = (
        Facts(facts if not report.run else (("run", report.run), *facts)),
        _figures(report),
        Items(tuple(_noted(report)), "Reading the table"),
        Items(listed[:MOST], "Left to the CPU", note=words.more(len(listed) - MOST)),
        Items(found.notes, "Notes"),
        Paragraph(Span("The vendor's estimate is arithmetic on a model of the hardware, not a measurement.", "muted")),
    )
    return Page(f"{found.device}: the vendor's estimate", filled(blocks))


def _figures(report: VendorReport) -> Table:
    columns = (Column("metric"), Column("vendor's", right=True), Column("predicted", wrap=True), Column("", wrap=True))
    rows = tuple(
        (
            words.METRIC_WORDS[one.metric],
            words.amount(one.estimated, one.metric),
            words.with_interval(one.predicted) if one.predicted else "-",
            _place(one),
        )
        for one in report.comparisons
    )
    return Table(columns, rows, "Estimated")


def _place(one: VendorComparison) -> Line:
    if one.inside is None:
        return "not compared" if one.predicted else ""
    return Span("inside", "good") if one.inside else Span("outside", "warn")


def _noted(report: VendorReport) -> list[Line]:
    return [
        (Span(words.METRIC_WORDS[one.metric], "strong"), f": {one.note}")
        for one in report.comparisons
        if one.note and one.predicted
    ]
