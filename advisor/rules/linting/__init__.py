"""Checks of the rule base beyond loading, by kind; `table` says what each finding means.

They need all rules at once and judge nothing that depends on a model.
"""

from collections.abc import Callable, Iterator

from ..cases import run_cases
from ..load import RuleBase
from ..problems import Problem
from .accepted import accept, accepted_in
from .conditions import conditions
from .files import names
from .gaps import gaps
from .honesty import claims
from .pairs import pairs
from .references import mentions, metrics, names_in_profiles, overrides, scopes
from .table import CODES, Code, code_of

__all__ = ["CODES", "Code", "code_of", "lint"]

CHECKS: tuple[Callable[[RuleBase], Iterator[Problem]], ...] = (
    names, overrides, conditions, pairs, scopes, claims, metrics, names_in_profiles, mentions, gaps,
)  # fmt: skip


def lint(base: RuleBase) -> tuple[Problem, ...]:
    """Check everything that needs all rules at once, and run every rule's cases."""
    problems = [problem for check in CHECKS for problem in check(base)]
    return tuple(accept((*problems, *run_cases(base)), accepted_in(base)))
