"""`advisor explain`: why this plan, why not that one, and what if."""

from pathlib import Path
from typing import Annotated

import typer

from advisor.errors import GoalError

from . import complete
from .console import show_json, show_page
from .options import Json, read_count


def command(
    plan: Annotated[Path, typer.Argument(metavar="PLAN.JSON", help="What 'advisor recommend -o' stored.")],
    why: Annotated[int | None, typer.Option(metavar="N", help="What speaks for and against plan N.")] = None,
    why_not: Annotated[
        str | None,
        typer.Option(
            metavar="N|TECHNIQUE", autocompletion=complete.techniques, help="Why it is not the recommendation."
        ),
    ] = None,
    what_if: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A changed limit, goal, device or fact; may be repeated."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Question a stored recommendation; without an option: why the recommended plan."""
    if sum(bool(given) for given in (why is not None, why_not is not None, what_if)) > 1:
        raise GoalError("several questions at once", remedy="Give one of --why, --why-not and --what-if.")
    read_count(why, "--why", least=0)

    from advisor import pipeline
    from advisor.reports.explanation import explanation_page

    stored = pipeline.load_recommendation(plan)
    found = pipeline.explain(stored, why=why, why_not=why_not, what_if=tuple(what_if or ()))
    show_json(found) if as_json else show_page(explanation_page(found))
