"""`advisor rules`: the rule base."""

from pathlib import Path
from typing import Annotated

import typer

from advisor.errors import KnowledgeError, nearest

from . import complete
from .console import show_json, show_page
from .options import Json

app = typer.Typer(help="List the rules, show one, or check them all.", no_args_is_help=True)


@app.command("list")
def list_all(
    group: Annotated[
        str | None, typer.Option(metavar="GROUP", autocompletion=complete.groups, help="Only this group.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the rules."""
    from advisor.reports.rules import rules_page
    from advisor.rules import load_rules

    base = load_rules()
    groups = sorted({rule.group for rule in base.rules})
    if group is not None and group not in groups:
        hint = nearest(group, groups) or f"Use one of {', '.join(groups)}."
        raise KnowledgeError(f"--group: unknown group {group!r}", remedy=hint)
    found = [rule for rule in base.rules if group in (None, rule.group)]
    show_json(found) if as_json else show_page(rules_page(found, base.version))


@app.command()
def show(
    rule: Annotated[str, typer.Argument(metavar="ID", autocompletion=complete.rules, help="For instance HW-05.")],
    as_json: Json = False,
) -> None:
    """Show one rule with its reasons, cases and sources."""
    from advisor.reports.rules import rule_page
    from advisor.rules import load_rules

    found = load_rules().get(complete.rule_id(rule)).rule
    show_json(found) if as_json else show_page(rule_page(found))


@app.command()
def lint(
    folders: Annotated[list[Path] | None, typer.Argument(metavar="[FOLDER]...", help="Further rules to check.")] = None,
    as_json: Json = False,
) -> None:
    """Check every rule and run its cases; exits with 2 on errors."""
    from advisor.reports.rules import lint_page
    from advisor.rules.lint import lint as check
    from advisor.rules.load import collect
    from advisor.rules.problems import from_error

    base, broken = collect(folders or ())
    problems = [*map(from_error, broken), *check(base)]
    if as_json:
        show_json({"rules": len(base), "problems": problems})
    else:
        show_page(lint_page(problems, len(base)))
    if any(problem.severity == "error" for problem in problems):
        raise typer.Exit(KnowledgeError.exit_code)
