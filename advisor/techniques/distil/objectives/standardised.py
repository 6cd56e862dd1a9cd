"""Standardised answers (Sun et al., arXiv 2403.01427): z-scores of the logits, softened and compared.

The student need not match the size of the teacher's logits, only their relations.
"""

from typing import Any

from torch import Tensor

from .mixed import Term
from .response import divergence

_LEAST = 1e-7  # added to the deviation, as in the authors' code


class Standardised(Term):
    """Hinton's divergence of (logit - mean) / deviation over the classes."""

    def __init__(self, temperature: float) -> None:
        """Take the temperature that softens the z-scores."""
        super().__init__()
        self.temperature = temperature

    def forward(self, said: Tensor, told: Tensor, targets: Any) -> Tensor:
        """Return the divergence."""
        return divergence(_z(said.float()), _z(told.float()), self.temperature)


def _z(scores: Tensor) -> Tensor:
    return (scores - scores.mean(1, keepdim=True)) / (scores.std(1, keepdim=True) + _LEAST)
