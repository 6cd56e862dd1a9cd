"""Attention transfer (Zagoruyko and Komodakis, arXiv 1612.03928): the student looks where the teacher looks.

Of every stage: mean over the channels of the squared map, as one vector of length 1; mean squared difference of student
and teacher, summed over the stages. Widths need not agree.
"""

from typing import Any

from torch import Tensor
from torch.nn import functional

from .hint import equally_large
from .mixed import Term
from .places import pairs
from .taps import Taps


class Attention(Term):
    """All pairs of places that were found."""

    def __init__(self, student: Any, teacher: Any, images: Tensor) -> None:
        """Find the stages of both networks."""
        super().__init__()
        self.found = pairs(student, teacher, images)
        mine, theirs = zip(*((a.name, b.name) for a, b in self.found), strict=True)
        self._taps = (Taps(student, mine), Taps(teacher, theirs))

    def fits(self, output: Any) -> bool:
        """Whatever is put out in the end."""
        return True

    def forward(self, said: Any, told: Any, targets: Any) -> Tensor:
        """Return the sum over the stages."""
        mine, theirs = (taps.take() for taps in self._taps)
        terms = [_difference(*equally_large(mine[a.name], theirs[b.name])) for a, b in self.found]
        return sum(terms[1:], terms[0])

    def close(self) -> None:
        """Take the hooks off."""
        for taps in self._taps:
            taps.close()


def _difference(mine: Tensor, theirs: Tensor) -> Tensor:
    return functional.mse_loss(_attention(mine), _attention(theirs))


def _attention(found: Tensor) -> Tensor:
    return functional.normalize(found.square().mean(1).flatten(1))
