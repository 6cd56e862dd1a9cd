"""Hints (FitNets, Romero et al., arXiv 1412.6550): a map in the middle becomes the teacher's, seen through an adapter.

Mean squared difference of the teacher's map and a 1x1 convolution of the student's, which learns along and is no part
of the result. FitNets trains on the hint first; here it stands beside the labels throughout, as in later comparisons.
"""

from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from .mixed import Term
from .places import as_map, pairs
from .taps import Taps


class Hint(Term):
    """The middle one of the pairs of places that were found."""

    def __init__(self, student: Any, teacher: Any, images: Tensor, *, aligned: bool = False) -> None:
        """Find the place; where `aligned` and equally wide, maps are compared as they are."""
        super().__init__()
        found = pairs(student, teacher, images)
        self.mine, self.theirs = found[len(found) // 2]
        narrow, wide = self.mine.channels, self.theirs.channels
        same = aligned and narrow == wide
        self.adapter = nn.Identity() if same else nn.Conv2d(narrow, wide, 1, bias=False)
        self._taps = (Taps(student, (self.mine.name,)), Taps(teacher, (self.theirs.name,)))

    def fits(self, output: Any) -> bool:
        """Whatever is put out in the end."""
        return True

    def forward(self, said: Any, told: Any, targets: Any) -> Tensor:
        """Return the mean squared difference."""
        mine, theirs = equally_large(*(next(iter(taps.take().values())) for taps in self._taps))
        return functional.mse_loss(self.adapter(mine), theirs)

    def close(self) -> None:
        """Take the hooks off."""
        for taps in self._taps:
            taps.close()


def equally_large(mine: Tensor, theirs: Tensor) -> tuple[Tensor, Tensor]:
    """Return two outputs as maps, the larger averaged down to the smaller one's cells."""
    first, second = as_map(mine), as_map(theirs)
    if first is None or second is None:
        raise ValueError("a layer that put out a map puts out none any more")
    side = (min(first.shape[2], second.shape[2]), min(first.shape[3], second.shape[3]))
    first, second = (functional.adaptive_avg_pool2d(one.float(), side) for one in (first, second))
    return first, second
