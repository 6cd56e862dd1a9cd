"""`advisor explain`: why this plan, why not that one, what if, what would change the winner, and does it still hold."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from advisor.errors import GoalError

from . import complete
from .console import progress, show_json, show_page
from .group import CHANGED
from .options import Json, Rules, read_count

if TYPE_CHECKING:
    from advisor.reports.page import Page
    from advisor.schema import Record


def command(
    plan: Annotated[Path, typer.Argument(metavar="PLAN.JSON", help="What 'advisor recommend -o' stored.")],
    why: Annotated[int | None, typer.Option(metavar="N", help="What speaks for and against plan N.")] = None,
    why_not: Annotated[
        str | None,
        typer.Option(
            metavar="N|TECHNIQUE[@RUNTIME]",
            autocompletion=complete.techniques,
            help="Why it is not the recommendation.",
        ),
    ] = None,
    what_if: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A changed limit, goal, option, device or fact; may be repeated."),
    ] = None,
    counterfactual: Annotated[
        bool, typer.Option("--counterfactual", help="The smallest changes that would make another plan win.")
    ] = False,
    replay: Annotated[
        bool, typer.Option("--replay", help="Decide again: exits with 1 if the answer has changed.")
    ] = False,
    trace: Annotated[bool, typer.Option("--trace", help="Show every part of each rule's condition.")] = False,
    rules: Rules = None,
    as_json: Json = False,
) -> None:
    """Question a stored recommendation; without an option: why the recommended plan."""
    if sum((why is not None, why_not is not None, bool(what_if), counterfactual, replay)) > 1:
        raise GoalError(
            "several questions at once",
            remedy="Give one of --why, --why-not, --what-if, --counterfactual and --replay.",
        )
    read_count(why, "--why", least=0)

    from advisor import pipeline, questions
    from advisor.reports.counterfactual import counterfactual_page
    from advisor.reports.explanation import explanation_page
    from advisor.reports.replay import replay_page

    stored, folders = pipeline.load_recommendation(plan), tuple(rules or ())
    if replay:
        decided = questions.replay(stored, rules=folders)
        _tell(decided, replay_page(decided), as_json)
        if not decided.same:
            raise typer.Exit(CHANGED)
    elif counterfactual:
        with progress(quiet=as_json) as bars:
            found = questions.counterfactual(stored, rules=folders, progress=bars)
        _tell(found, counterfactual_page(found), as_json)
    else:
        found = questions.explain(stored, why=why, why_not=why_not, what_if=tuple(what_if or ()), rules=folders)
        _tell(found, explanation_page(found, trace=trace), as_json)


def _tell(found: "Record", page: "Page", as_json: bool) -> None:
    show_json(found) if as_json else show_page(page)
