"""Softened answers (Hinton et al., arXiv 1503.02531): T^2 KL(softmax(teacher / T) || softmax(student / T))."""

from typing import Any

from torch import Tensor
from torch.nn import functional

from .mixed import Term


class Response(Term):
    """The mean over images, and over places where the scores are a map of them."""

    def __init__(self, temperature: float) -> None:
        """Take the temperature that softens both answers."""
        super().__init__()
        self.temperature = temperature

    def forward(self, said: Tensor, told: Tensor, targets: Any) -> Tensor:
        """Return the divergence."""
        return divergence(said.float(), told.float(), self.temperature)


def divergence(said: Tensor, told: Tensor, temperature: float) -> Tensor:
    """Return T^2 KL(teacher || student) of scores (n, classes, ...)."""
    wanted = functional.log_softmax(told / temperature, dim=1)
    found = functional.log_softmax(said / temperature, dim=1)
    places = said[0, 0].numel()  # of a map of scores; 1 for a list of them
    return functional.kl_div(found, wanted, reduction="batchmean", log_target=True) * temperature**2 / places
