"""The part of a run's page that tells of the search: what was tried, what it cost, and whether the limit held."""

from advisor.schema import SearchRecord, Trial
from advisor.units import counted, three

from .page import Block, Column, Items, Line, Page, Paragraph, Span, Table, filled

_TONES = {"holds": "good", "breaks": "bad", "no gain": "warn", "refused": "warn", "unfinished": "warn"}
_SENSITIVE = 5  # parts that are named


def search_blocks(search: SearchRecord | None) -> tuple[Block | None, ...]:
    """Lay out a search; nothing where there was none."""
    if search is None:
        return ()
    return (
        Paragraph(_verdict(search), f"Limit: at most {search.max_drop:g} points of {search.metric} lost"),
        _trials(search),
        Items(tuple(_sensitive(search)), "Most sensitive layers (each changed alone, untrained)"),
        Items(search.notes),
    )


def search_page(search: SearchRecord, title: str) -> Page:
    """Lay out a search that found nothing that holds."""
    return Page(title, filled(search_blocks(search)))


def _verdict(search: SearchRecord) -> Line:
    spent = f"{search.spent_s:.0f} s" + (f" of {search.budget_s:.0f} s" if search.budget_s else "")
    how = f" {counted(len(search.trials), 'setting')} tried in {spent}; {search.selection} images chose."
    if search.chosen is None:
        return (Span("No setting holds.", "bad"), how)
    if search.drop is None or search.drop_low is None or search.drop_high is None:
        return (Span("Not measured on test images.", "warn"), how)
    points = (
        f" {search.drop:.2f} points lost on the test images (95 %: {search.drop_low:.2f} to {search.drop_high:.2f})."
    )
    words = {
        "kept": Span("Kept.", "good"),
        "within error": Span("Kept, as far as so few images can tell.", "warn"),
        "broken": Span("Broken on the test images.", "bad"),
    }
    return (words.get(search.verdict, Span(search.verdict)), points, how)


def _trials(search: SearchRecord) -> Table:
    columns = (
        Column("", right=True),
        Column("setting", wrap=True),
        Column("MB", right=True),
        Column("speed", right=True),
        Column("lost", right=True),
        Column("outcome", wrap=True),
    )
    return Table(columns, tuple(_row(trial, search.chosen) for trial in search.trials), "What was tried")


def _row(trial: Trial, chosen: int | None) -> tuple[Line, ...]:
    outcome = Span(trial.outcome, _TONES[trial.outcome])  # type: ignore[arg-type]
    told: Line = outcome if trial.drop is not None else (outcome, f": {trial.reason}")
    return (
        Span(f"{trial.number}*", "strong") if trial.number == chosen else str(trial.number),
        trial.asked.label,
        "-" if trial.megabytes is None else three(trial.megabytes),
        "-" if trial.times_as_fast is None else f"{trial.times_as_fast:.2f}x",
        "-" if trial.drop is None else f"{trial.drop + 0.0:.2f}",
        told,
    )


def _sensitive(search: SearchRecord) -> list[Line]:
    ordered = sorted(search.sensitivities, key=lambda one: one.agreement)[:_SENSITIVE]
    return [f"{one.part}: {one.agreement:.1f} % of the answers stay" for one in ordered]
