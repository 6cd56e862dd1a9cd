"""Decoupled distillation (Zhao et al., arXiv 2203.08679): the right class and the order of the others, weighed apart.

With p softened by T: target x KL of (p_right, 1 - p_right) + others x KL of p over the other classes, both times T^2.
Plain distillation weighs the second by the teacher's 1 - p_right, which is near 0 where the teacher is sure.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from .mixed import Term
from .response import divergence


class Decoupled(Term):
    """The two halves for scores (n, classes) and one label an image."""

    def __init__(self, temperature: float, target: float, others: float) -> None:
        """Take the temperature and the weights of the right class and of the others."""
        super().__init__()
        self.temperature, self.target, self.others = temperature, target, others

    def fits(self, output: Any) -> bool:
        """Whether the answers are lists of at least three scores: with two there is one other class, and no order."""
        return super().fits(output) and output.dim() == 2 and output.shape[1] > 2

    def forward(self, said: Tensor, told: Tensor, targets: Tensor) -> Tensor:
        """Return the weighted sum."""
        said, told = said.float(), told.float()
        right = functional.one_hot(targets, said.shape[1]).bool()
        of_target = divergence(self._binary(said, right), self._binary(told, right), 1.0) * self.temperature**2
        rest = (len(said), said.shape[1] - 1)
        of_others = divergence(said[~right].view(rest), told[~right].view(rest), self.temperature)
        return self.target * of_target + self.others * of_others

    def _binary(self, scores: Tensor, right: Tensor) -> Tensor:
        """Return log of (p_right, 1 - p_right), which are its own scores."""
        logs = functional.log_softmax(scores / self.temperature, dim=1)
        wrong = torch.where(right, -torch.inf, logs).logsumexp(1)
        return torch.stack([logs[right], wrong], dim=1)
