"""`advisor rules`: the rule base."""

from typing import Annotated

import typer

from . import complete
from .console import show_json, show_page
from .options import Json, Rules, one_of
from .rules_check import check, coverage
from .rules_own import new, try_out

app = typer.Typer(help="List the rules, show one, check them all, or try your own.", no_args_is_help=True)


@app.command("list")
def list_all(
    group: Annotated[
        str | None, typer.Option(metavar="GROUP", autocompletion=complete.groups, help="Only this group.")
    ] = None,
    rules: Rules = None,
    as_json: Json = False,
) -> None:
    """List the rules."""
    from advisor.reports.rules import rules_page
    from advisor.rules.sources import rules_in_use

    base = rules_in_use(rules or ())
    groups = sorted({rule.group for rule in base.rules})
    if group is not None:
        one_of(group, groups, "--group")
    found = [rule for rule in base.rules if group in (None, rule.group)]
    show_json(found) if as_json else show_page(rules_page(found, base.version))


@app.command()
def show(
    rule: Annotated[str, typer.Argument(metavar="ID", autocompletion=complete.rules, help="For instance HW-05.")],
    rules: Rules = None,
    as_json: Json = False,
) -> None:
    """Show one rule with its reasons, cases and sources."""
    from advisor.reports.rules import rule_page
    from advisor.rules.phrases import load_phrases
    from advisor.rules.sources import rules_in_use

    base = rules_in_use(rules or ())
    found = base.get(complete.rule_id(rule))
    show_json(found.rule) if as_json else show_page(rule_page(found, load_phrases(base.vocabulary)))


app.command()(check)
app.command("lint", hidden=True)(check)
app.command()(coverage)
app.command("test")(try_out)
app.command()(new)
