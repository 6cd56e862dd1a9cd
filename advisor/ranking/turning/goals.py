"""Other goals and budgets that would make another plan win."""

from collections.abc import Iterator
from typing import get_args

from advisor.schema import BUDGETS, GoalKind

from ..changes import read_changes
from ..weights import load_weights
from .alternative import Alternative
from .probing import Probe


def turned_goals(probe: Probe, *, budgets: bool) -> Iterator[Alternative]:
    """Ask what another goal would make of the winner, and another budget, where the model cannot be opened for it."""
    goal, size = probe.now.goal, load_weights().changes.switch
    choices = [("goal", goal.kind, value) for value in get_args(GoalKind)]
    choices += [("budget", goal.budget, value) for value in BUDGETS if budgets]
    for name, present, value in choices:
        if value == present:
            continue
        winner = probe.winner(read_changes((f"{name}={value}",), goal).goal)
        if winner != probe.now.winner:
            yield Alternative("goal", f"{name}={value}", "", f"{name} {present}", size, winner)
