"""The page of artefacts measured side by side."""

from advisor.schema import BenchEntry, BenchRecord
from advisor.units import counted, three

from .page import Block, Column, Facts, Items, Line, Page, Paragraph, Span, Table, filled


def bench_page(found: BenchRecord) -> Page:
    """Lay out a sitting of `advisor bench`."""
    blocks: tuple[Block | None, ...] = (
        Facts(
            (
                ("machine", found.environment.get("machine", "unknown")),
                ("measured", f"{found.clock}, {found.rounds} interleaved rounds, {found.threads} thread(s)"),
                ("meanwhile", found.conditions),
            )
        ),
        _times(found),
        _costs(found),
        Items(tuple((Span("inconclusive", "warn"), f": {e.name}: {e.doubt}") for e in found.entries if e.doubt)),
        Paragraph(Span(_runtimes(found), "muted")),
    )
    return Page(f"{counted(len(found.entries), 'artefact')} side by side", filled(blocks))


def _times(found: BenchRecord) -> Table:
    columns = (
        Column("artefact", wrap=True),
        Column("median ms", right=True),
        Column("quartiles", right=True),
        Column("minimum", right=True),
        Column("of the first", right=True, wrap=True),
    )
    rows = tuple(
        (
            entry.name,
            three(entry.median_ms),
            f"{three(entry.low_ms)} to {three(entry.high_ms)}",
            three(entry.minimum_ms),
            _ratio(entry),
        )
        for entry in found.entries
    )
    note = "" if len(rows) == 1 else "of the first: ratio of medians with its 95 % interval; below 1 is faster."
    return Table(columns, rows, "Latency", note)


def _ratio(entry: BenchEntry) -> Line:
    if entry.ratio is None or entry.ratio_low is None or entry.ratio_high is None:
        return "-"
    said = f"{entry.ratio:.3f} ({entry.ratio_low:.3f} to {entry.ratio_high:.3f})"
    return Span(f"{said} ?", "warn") if entry.doubt else said


def _costs(found: BenchRecord) -> Table:
    """Show size, memory and energy; what was not measured has no column."""
    memory = any(entry.peak_mb is not None for entry in found.entries)
    energy = any(entry.energy_mj is not None for entry in found.entries)
    several = len({entry.runtime for entry in found.entries}) > 1
    columns = [Column("artefact", wrap=True), *([Column("runtime", wrap=True)] if several else [])]
    columns += [Column("file MB", right=True)]
    columns += [Column(title, right=True) for title in ("peak MB", "of it runtime", "model")] if memory else []
    columns += [Column("mJ", right=True)] if energy else []
    rows = []
    for entry in found.entries:
        cells: list[Line] = [entry.name, *([entry.runtime] if several else []), three(entry.size_mb)]
        if memory and entry.peak_mb is not None and entry.runtime_mb is not None:
            cells += [three(entry.peak_mb), three(entry.runtime_mb), three(entry.peak_mb - entry.runtime_mb)]
        if energy:
            cells.append("-" if entry.energy_mj is None else three(entry.energy_mj))
        rows.append(tuple(cells))
    note = (
        "peak: resident memory of a fresh process; runtime: Python and the runtime before the model." if memory else ""
    )
    return Table(tuple(columns), tuple(rows), "Size and memory", note)


def _runtimes(found: BenchRecord) -> str:
    used = ", ".join(dict.fromkeys(entry.runtime for entry in found.entries))
    return f"{used}; {found.created}" + (f"; energy from {found.meter}" if found.meter else "")
