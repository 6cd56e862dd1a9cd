"""Whether two conditions can meet: on some execution path of the profiles, in a plan of one technique."""

from collections.abc import Mapping
from functools import lru_cache

from ..expressions import Expr
from ..partial import foresee
from ..situations import Cut, is_open, of_paths, of_plans, paths_by, plans_by


def can_meet(one: Expr, other: Expr) -> bool:
    """Whether nothing known of devices and techniques keeps the two from holding together."""
    return bool(_on_paths(one) & _on_paths(other)) and bool(_in_plans(one) & _in_plans(other))


@lru_cache(maxsize=4096)
def _on_paths(when: Expr) -> int:
    return _where(when, paths_by(of_paths(when.names)))


@lru_cache(maxsize=4096)
def _in_plans(when: Expr) -> int:
    return _where(when, plans_by(of_plans(when.names)))


def _where(when: Expr, groups: Mapping[Cut, int]) -> int:
    """Return the members of the groups in which the condition is not excluded."""
    may = foresee(when, is_open)
    return sum(members for cut, members in groups.items() if may(dict(cut)) is not False)
