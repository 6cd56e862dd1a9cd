"""`advisor rules check` and `advisor rules coverage`: is the rule base sound, and where does it speak."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from advisor.errors import KnowledgeError

from . import complete
from .console import show_json, show_page
from .options import Json, Rules, one_of

if TYPE_CHECKING:
    from advisor.rules import RuleBase
    from advisor.rules.problems import Problem


def check(
    folders: Annotated[list[Path] | None, typer.Argument(metavar="DIR", help="Further rules to check.")] = None,
    rules: Rules = None,
    everything: Annotated[bool, typer.Option("--all", help="Show notices and accepted findings, too.")] = False,
    explain: Annotated[str | None, typer.Option(metavar="CODE", help="Say what a check means.")] = None,
    as_json: Json = False,
) -> None:
    """Check every rule and run its cases; exits with 2 on errors."""
    from advisor.reports.rule_checks import check_page, code_page
    from advisor.rules.linting import code_of

    if explain is not None:
        code = code_of(explain)
        show_json(code) if as_json else show_page(code_page(code))
        return
    base, problems = _checked((*(folders or ()), *(rules or ())))
    if as_json:
        show_json({"rules": len(base), "knowledge": f"{base.version} {base.digest}", "problems": problems})
    else:
        show_page(check_page(problems, len(base), f"{base.version} {base.digest}", everything))
    if any(problem.severity == "error" for problem in problems):
        raise typer.Exit(KnowledgeError.exit_code)


def coverage(
    technique: Annotated[
        str | None, typer.Option(metavar="NAME", autocompletion=complete.techniques, help="One technique, by kind.")
    ] = None,
    rules: Rules = None,
    as_json: Json = False,
) -> None:
    """Count the rules that can speak of each technique on each class of devices."""
    from advisor.reports.rule_checks import coverage_page, technique_page
    from advisor.rules.coverage import coverage as count
    from advisor.rules.sources import rules_in_use

    found = count(rules_in_use(rules or ()))
    if technique is not None:
        one_of(technique, found.techniques, "--technique")
    if as_json:
        cells = [
            {
                "technique": cell[0],
                "class": cell[1],
                "judging": found.own[cell],
                "by_device": found.placed[cell],
                "by_kind": counts,
            }
            for cell, counts in found.rules.items()
            if technique in (None, cell[0])
        ]
        show_json({"cells": cells, "gaps": found.gaps})
    else:
        show_page(coverage_page(found) if technique is None else technique_page(found, technique))


def _checked(folders: tuple[Path, ...]) -> "tuple[RuleBase, list[Problem]]":
    """Read all rules as far as they can be read, and check what was read."""
    from advisor.rules.catalogue import is_stale, page_path
    from advisor.rules.linting import CODES, lint
    from advisor.rules.load import collect
    from advisor.rules.problems import Problem, from_error
    from advisor.rules.sources import rule_folders

    base, broken = collect(rule_folders(folders))
    problems = [*map(from_error, broken), *lint(base)]
    if not base.added and page_path().parent.is_dir() and is_stale(base):
        stale = CODES["catalogue"]
        problems.append(Problem(stale.severity, stale.code, "", f"{stale.meaning}; {stale.remedy}"))
    return base, problems
