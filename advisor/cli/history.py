"""`advisor history`: what came of plans, how good predictions were, and sharing outcomes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from advisor.errors import GoalError

from . import complete
from . import options as given
from .console import show_json, show_page

if TYPE_CHECKING:
    from advisor.learning.outcomes.outcome import Outcome
    from advisor.learning.outcomes.store import Store

Device = Annotated[
    str | None,
    typer.Option("--device", metavar="DEVICE", autocompletion=complete.devices, help="Only what this device measured."),
]
Technique = Annotated[
    str | None, typer.Option("--technique", metavar="NAME", help="Only plans with this technique; 'none' for none.")
]
Limit = Annotated[int, typer.Option("--limit", metavar="N", help="Outcomes in the list.")]

app = typer.Typer(help="What came of plans: list, accuracy of predictions, export, import.", add_completion=False)


@app.callback(invoke_without_command=True)
def listed(
    context: typer.Context,
    device: Device = None,
    technique: Technique = None,
    limit: Limit = 20,
    outcomes: given.Outcomes = None,
    as_json: given.Json = False,
) -> None:
    """List the outcomes that 'advisor apply' and 'advisor verify' recorded, the latest first."""
    if context.invoked_subcommand is not None:
        if device or technique or outcomes or as_json:
            raise GoalError(
                "options before the subcommand have no effect",
                remedy=f"Write them behind it: advisor history {context.invoked_subcommand} ...",
            )
        return
    given.read_count(limit, "--limit")
    store, place = _store(outcomes)
    found = _read(store, device, technique)
    if as_json:
        show_json(list(found))
        return
    from advisor.reports.history import history_page

    show_page(history_page(found, place, limit))


@app.command("accuracy")
def accuracy(
    device: Device = None,
    technique: Technique = None,
    outcomes: given.Outcomes = None,
    as_json: given.Json = False,
) -> None:
    """Say how good predictions were per device, technique, basis and metric, and how often rules kept their word."""
    store, place = _store(outcomes)
    found = _read(store, device, technique)
    from advisor.learning.outcomes.tally import tally
    from advisor.reports.history import accuracy_page

    counted = tally(found)
    show_json(counted) if as_json else show_page(accuracy_page(counted, place))


@app.command("export")
def export(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="File to write, one outcome a line.")],
    anonymise: Annotated[
        bool, typer.Option("--anonymise", help="Leave out names of models, layers, files and folders.")
    ] = False,
    device: Device = None,
    technique: Technique = None,
    outcomes: given.Outcomes = None,
    as_json: given.Json = False,
) -> None:
    """Write outcomes as lines of JSON, for sharing."""
    store, _ = _store(outcomes)
    from advisor.learning.outcomes.sharing import write_outcomes

    try:
        written = write_outcomes(_read(store, device, technique), output, anonymise=anonymise)
    except OSError as error:
        raise GoalError(f"{output} cannot be written", where=str(error), remedy="Name another file with -o.") from error
    _tell({"written": written, "file": str(output), "anonymised": anonymise}, "Outcomes exported", as_json)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File that 'advisor history export' wrote.")],
    outcomes: given.Outcomes = None,
    as_json: given.Json = False,
) -> None:
    """Add outcomes that others measured; those that are here already are left out."""
    store, _ = _store(outcomes)
    from advisor.learning.outcomes.sharing import import_outcomes

    found = import_outcomes(file, store)
    _tell({"read": found.read, "new": found.new, "known": found.read - found.new}, "Outcomes imported", as_json)


@app.command("repair")
def repair(outcomes: given.Outcomes = None, as_json: given.Json = False) -> None:
    """Save what can be read of a damaged store into a new one; the damaged file is kept beside it."""
    store, _ = _store(outcomes)
    from advisor.learning.outcomes.repair import repair as mend
    from advisor.reports.history import repaired_page

    found = mend(store.url)
    show_json(found) if as_json else show_page(repaired_page(found))


def _store(named: str | None) -> tuple["Store", str]:
    """Return the store and its place for people."""
    from advisor.learning.outcomes.places import StoreError, place_of, shown
    from advisor.learning.outcomes.store import Store

    place = place_of(named)
    if place is None:
        raise StoreError("outcomes are switched off", remedy="Name a store with --outcomes or ADVISOR_OUTCOMES.")
    return Store(place), shown(place)


def _read(store: "Store", device: str | None, technique: str | None) -> tuple["Outcome", ...]:
    return store.read(device=device, technique=technique)


def _tell(facts: dict[str, Any], title: str, as_json: bool) -> None:
    if as_json:
        show_json(facts)
        return
    from advisor.reports.page import Facts, Page

    pairs = tuple((name, "yes" if value is True else "no" if value is False else str(value))
                  for name, value in facts.items())  # fmt: skip
    show_page(Page(title, (Facts(pairs),)))
