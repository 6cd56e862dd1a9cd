"""The page of a run: what was done, predicted against measured, and what remains to be done on the target."""

from advisor.schema import Artefact, GainVerdict, Metric, RunRecord, Verdict
from advisor.units import three
from advisor.verification.causes import known_causes

from . import words
from .page import Block, Column, Facts, Items, Line, Page, Paragraph, Span, Table, filled
from .search import search_blocks


def run_page(run: RunRecord) -> Page:
    """Lay out a run record."""
    blocks: tuple[Block | None, ...] = (
        _header(run),
        *search_blocks(run.search),
        _verdicts(run),
        _gains(run),
        Items(tuple(_verdict_notes(run)), "Reading the table"),
        Items(tuple(_help(run)), "What may help"),
        _elsewhere(run),
        _checks(run),
        Items(tuple(_step_lines(run)), "What was done", numbered=True),
        _artefacts(run.artefacts),
        Items(run.recipe, f"To do on {run.device}"),
        Items(run.notes, "Notes"),
        _provenance(run),
    )
    return Page(f"{run.model} for {run.device}: {run.done.label}", filled(blocks))


_SAID = {"agreement": "same answers as the original", "similarity": "cosine similarity to the original's outputs"}


def _header(run: RunRecord) -> Facts:
    place = "the target itself" if run.on_this_machine else "this machine, which is not the target"
    pairs: list[tuple[str, Line]] = [
        ("plan", (Span(run.done.label, "strong"), f" on {run.plan.path}{_asked(run)}")),
        ("measured on", place),
    ]
    if run.accuracy:
        pairs.append(_accuracy(run))
    if run.data:
        data = run.data
        parts = ("train", "selection", "calibration", "test")
        split = ", ".join(f"{count} {part}" for part in parts if (count := getattr(data, part)))
        classes = f", {len(data.classes)} classes" if data.classes else ""
        pairs.append(("data", f"{data.origin}: {split} images{classes}"))
    return Facts(tuple(pairs))


def _accuracy(run: RunRecord) -> tuple[str, str]:
    """Write 'original 98.9 %, shipped 98.1 % (96.9 to 98.9)'; bounds stand beside their value.

    Without labels, how alike both answer is named after what it is.
    """
    values, told = run.accuracy, []
    metric, unit = (run.data.metric, run.data.unit) if run.data else ("top-1", "%")
    unit = f" {unit}" if unit else ""
    name = metric if "original" in values else "without labels"
    for role, value in values.items():
        if role.endswith(("_low", "_high")):
            continue
        low, high = values.get(f"{role}_low"), values.get(f"{role}_high")
        spread = "" if low is None or high is None else f" ({low:.1f} to {high:.1f})"
        told.append(f"{_SAID.get(role, role)} {value:.1f}{' %' if role in _SAID else unit}{spread}")
    return name, ", ".join(told)


def _asked(run: RunRecord) -> str:
    """Name what was asked for where a search settled on something else."""
    return "" if run.search is None or run.done.label == run.plan.label else f" (asked: {run.plan.label})"


def _verdicts(run: RunRecord) -> Table:
    columns = (
        Column("metric"),
        Column("predicted", wrap=True),
        Column("measured", wrap=True),
        Column("baseline", right=True),
        Column("verdict"),
    )
    rows = tuple(_verdict_row(verdict) for verdict in run.verdicts)
    return Table(columns, rows, "Predicted against measured")


def _gains(run: RunRecord) -> Table | None:
    """Show gains over the baseline that was measured beside: ratios tell more than milliseconds."""
    if not run.gain_verdicts:
        return None
    columns = (Column("gain"), Column("predicted", wrap=True), Column("measured", right=True), Column("verdict"))
    rows = tuple(
        (
            words.METRIC_WORDS[verdict.metric],
            words.gain(verdict.predicted),
            "-" if verdict.measured is None else f"{three(verdict.measured)}x",
            _outcome(verdict),
        )
        for verdict in run.gain_verdicts
    )
    return Table(columns, rows, "Gain over the unchanged model in the same runtime, here")


def _verdict_row(verdict: Verdict) -> tuple[Line, ...]:
    predicted, measured = verdict.predicted, verdict.measured
    baseline = measured.baseline_value if measured else None
    return (
        words.METRIC_WORDS[verdict.metric],
        words.with_interval(predicted) if predicted else "-",
        words.with_interval(measured) if measured else "-",
        "-" if baseline is None or verdict.metric is Metric.ACCURACY else words.amount(baseline, verdict.metric),
        _outcome(verdict),
    )


def _outcome(verdict: Verdict | GainVerdict) -> Span:
    if verdict.hit is None:
        return Span("open", "warn")
    return Span("hit", "good") if verdict.hit else Span("miss", "bad")


def _verdict_notes(run: RunRecord) -> list[Line]:
    return [
        (Span(words.METRIC_WORDS[verdict.metric], "strong"), f": {verdict.explanation}", Span(_rules(verdict), "muted"))
        for verdict in run.verdicts
        if verdict.explanation
    ]


def _help(run: RunRecord) -> list[Line]:
    """Say what to do about each cause of a miss or of a measurement that says nothing."""
    known = known_causes()
    keys = dict.fromkeys(verdict.cause for verdict in run.verdicts if verdict.cause in known)
    return [(Span(known[key].title, "strong"), f": {known[key].remedy}") for key in keys]


def _rules(verdict: Verdict) -> str:
    """Name the rules that speak of a miss's cause."""
    return f" [{', '.join(verdict.rules)}]" if verdict.rules else ""


def _elsewhere(run: RunRecord) -> Table | None:
    """Show what is predicted for the target where another machine measured."""
    if run.on_this_machine or not run.predicted:
        return None
    columns = (Column("metric"), Column("predicted", wrap=True), Column("rests on", wrap=True))
    rows = tuple(
        (words.METRIC_WORDS[metric], words.with_interval(estimate), words.basis(estimate))
        for metric, estimate in run.predicted.items()
    )
    return Table(columns, rows, f"Predicted for {run.device}, to be measured there")


def _checks(run: RunRecord) -> Table:
    columns = (Column("preview"), Column("expected", right=True), Column("actual", right=True), Column("", wrap=True))
    rows = tuple(
        (
            check.quantity,
            f"{check.previewed:,}",
            f"{check.actual:,}",
            (Span("equal", "good") if check.agrees else Span("differs", "bad"), f" {check.note}".rstrip()),
        )
        for check in run.checks
    )
    return Table(columns, rows, "Preview against the real model")


def _step_lines(run: RunRecord) -> list[Line]:
    return [(Span(step.technique, "strong"), f": {step.done} ({step.seconds:.1f} s)") for step in run.steps]


def _artefacts(artefacts: tuple[Artefact, ...]) -> Table:
    columns = (
        Column("file", wrap=True),
        Column("role"),
        Column("format"),
        Column("precision"),
        Column("MB", right=True),
    )
    rows = tuple((a.file, a.role, a.format, a.precision, three(a.bytes / 1e6)) for a in artefacts)
    return Table(columns, rows, "Files")


def _provenance(run: RunRecord) -> Paragraph:
    where = ", ".join(f"{name} {value}" for name, value in run.environment.items())
    text = f"advisor {run.engine}, seed {run.seed}, {run.created}" + (f"; {where}" if where else "")
    return Paragraph(Span(text, "muted"))
