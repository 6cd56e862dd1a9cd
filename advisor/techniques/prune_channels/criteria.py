"""How important the channels of a group are, by Torch-Pruning's criteria; imports torch lazily."""

from collections.abc import Callable
from typing import Any

from advisor.techniques.gradients import add_gradients
from advisor.techniques.subject import Subject

from .step import PruneChannels

Score = Callable[[Any], Any]  # from a pruning group to one figure for each output channel of its root


def scorer(step: PruneChannels, module: Any, subject: Subject) -> Score:
    """Return the criterion; for `taylor` the module is left with gradients."""
    import torch
    import torch_pruning as tp

    if step.criterion == "random":
        generator = torch.Generator().manual_seed(subject.seed)
        return lambda group: torch.rand(len(group[0].idxs), generator=generator)
    kinds = tp.importance
    if step.criterion == "bn_scale":
        return _first_that_knows(kinds.BNScaleImportance(), kinds.GroupMagnitudeImportance(p=1))
    made: dict[str, Callable[[], Score]] = {
        "l2": lambda: kinds.GroupMagnitudeImportance(p=2),
        "l1": lambda: kinds.GroupMagnitudeImportance(p=1),
        "group_max": lambda: kinds.GroupMagnitudeImportance(p=2, group_reduction="max"),
        "filter_l1": lambda: kinds.GroupMagnitudeImportance(p=1, group_reduction="first"),
        "lamp": lambda: kinds.LAMPImportance(p=2),
        "fpgm": lambda: kinds.FPGMImportance(p=2),
        "taylor": kinds.GroupTaylorImportance,
    }
    if step.criterion == "taylor":
        add_gradients(module, subject)
    return made[step.criterion]()


def _first_that_knows(first: Score, second: Score) -> Score:
    """Rank by the first criterion, and groups of which it says nothing (those without a batch norm) by the second."""

    def score(group: Any) -> Any:
        found = first(group)
        return second(group) if found is None else found

    return score
