"""`advisor rules new` and `advisor rules test`: rules of one's own and their cases."""

from pathlib import Path
from typing import Annotated

import typer

from . import complete
from .console import show_json, show_page
from .group import FAILED
from .options import Json, Rules


def try_out(
    folders: Annotated[
        list[Path] | None, typer.Argument(metavar="DIR", help="Folders of rules; without one, all rules.")
    ] = None,
    rules: Rules = None,
    parts: Annotated[bool, typer.Option("--parts", help="List parts of conditions that no case reaches.")] = False,
    as_json: Json = False,
) -> None:
    """Run the cases of rules: those that they carry, and whole cases in DIR/cases/.

    Exits with 1 if a case fails, with 2 if a file cannot be read.
    """
    from advisor.reports.rule_checks import trials_page
    from advisor.rules.sources import rules_in_use
    from advisor.rules.trials import try_rules

    own = tuple(folders or ())
    found = try_rules(rules_in_use((*own, *(rules or ()))), own)
    show_json(found.summary()) if as_json else show_page(trials_page(found, each=bool(own), parts=parts))
    if found.failed:
        raise typer.Exit(FAILED)


def new(
    rule: Annotated[str, typer.Argument(metavar="ID", help="Two letters and a number; yours begin with X, Y or Z.")],
    group: Annotated[str, typer.Option(metavar="GROUP", autocompletion=complete.groups, help="What it is about.")],
    folder: Annotated[Path, typer.Option("--dir", metavar="DIR", help="Where the rules of your own lie.")],
    as_json: Json = False,
) -> None:
    """Write a rule to start from, with a comment on every field."""
    from advisor.rules.skeleton import write_skeleton

    path = write_skeleton(complete.rule_id(rule), group, folder)
    show_json({"file": str(path)}) if as_json else print(f"{path}\nNow edit it; then: advisor rules test {folder}")
