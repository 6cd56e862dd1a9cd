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
    kinds = [f"goal={kind}" for kind in get_args(GoalKind) if kind != goal.kind]
    means = [f"budget={budget}" for budget in BUDGETS if budgets and budget != goal.budget]
    for change in (*kinds, *means):
        winner = probe.winner(read_changes((change,), goal).goal)
        if winner != probe.now.winner:
            present = f"goal {goal.kind}" if change in kinds else f"budget {goal.budget}"
            yield Alternative("goal", change, "", present, size, winner)
