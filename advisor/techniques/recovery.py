"""Rounds and recovery that all kinds of pruning share: how far each round goes, and how a network is trained after it.

Torch-free. Steps that prune have the fields `iterations`, `recovery` and `epochs`.
"""

from typing import Any, Literal, TypeVar

from advisor.errors import NotApplicable
from advisor.schema import Step

S = TypeVar("S", bound=Step)
Recovery = Literal["fine_tune", "rewind"]

# Learning-rate rewinding (Renda, Frankle and Carbin 2020, arXiv 2003.02389) repeats the schedule of the original
# training instead of a small rate. That schedule is rarely known, so the usual one of convolutional networks stands in:
# 0.1 for a batch of 256 (He et al. 2016), scaled to the batch and warmed up over an epoch (Goyal et al. 2017,
# arXiv 1706.02677): 0.1 / 256 x 64 = 0.025.
_REWOUND = {"learning_rate": 0.025, "schedule": "cosine", "warmup_epochs": 1}


def training_of(recovery: Recovery, epochs: int) -> dict[str, Any]:
    """Return the fields of `Training` that differ: none for fine-tuning at a small, falling rate."""
    if recovery == "fine_tune":
        return {}
    return {**_REWOUND, "warmup_epochs": min(1, epochs // 2)}


def way(rounds: int) -> tuple[float, ...]:
    """Return the share of the way that is done after each round, the last being 1: 1 - (1 - t / n)^3.

    The cubic schedule of Zhu and Gupta 2017 (arXiv 1710.01878): much goes while there is plenty, little at the end.
    """
    return tuple(1 - (1 - (i + 1) / rounds) ** 3 for i in range(rounds))


def epochs_of(epochs: int, rounds: int) -> tuple[int, ...]:
    """Divide the epochs among the rounds; what is left over goes to the last ones."""
    return tuple(epochs * (i + 1) // rounds - epochs * i // rounds for i in range(rounds))


def in_rounds(step: S) -> tuple[S, ...]:
    """Return one step a round, of a step with `widths`: each goes a part of the way that is left, and ranks anew."""
    asked: Any = step
    if asked.iterations == 1:
        return (step,)
    if not asked.widths:
        raise unresolved(step.technique)
    done, found = 0.0, []
    for goal, epochs in zip(way(asked.iterations), epochs_of(asked.epochs, asked.iterations), strict=True):
        part = (goal - done) / (1 - done)
        found.append(step.model_copy(update={"part": part, "epochs": epochs, "iterations": 1}))
        done = goal
    return tuple(found)


def counted(rounds: int) -> str:
    """Return ' in N rounds' for labels, '' for one."""
    return f" in {rounds} rounds" if rounds > 1 else ""


def unresolved(technique: str) -> NotApplicable:
    """Return the refusal of a step of several rounds whose outcome was not made explicit first."""
    return NotApplicable(
        f"{technique}: a step of several rounds was not resolved before it was divided",
        remedy="Call `resolve(step, subject)` first.",
    )
