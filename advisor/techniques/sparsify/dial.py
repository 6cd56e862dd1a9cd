"""Sparsity from weak to strong."""

from advisor.techniques.dials import turned
from advisor.techniques.sparsify.step import Sparsify

SHARES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


def dial(step: Sparsify) -> tuple[Sparsify, ...]:
    """Return the step with fewer and more zeros; two of every four is one setting."""
    return (step,) if step.pattern == "2:4" else turned(step, "sparsity", SHARES, strong="high")
