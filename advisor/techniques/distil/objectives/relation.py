"""Relations between images (Park et al., arXiv 1904.05068): distances and angles of their descriptions in a batch.

Distances between two images, over their mean; cosines of the angles at every image between every two others. Student
and teacher are compared by Huber's loss. A description is what the layer reads that makes the answers, of any width.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from .mixed import Term
from .places import embedding
from .taps import Taps

_LEAST = 1e-12  # squared distance below which the root has no useful gradient
_TRIPLE = 3  # images without which there is no angle


class Relation(Term):
    """Weighted sum of both losses; networks without a last layer are described by their answers."""

    def __init__(self, student: Any, teacher: Any, images: Tensor, distance: float, angle: float) -> None:
        """Find the last layer of both networks."""
        super().__init__()
        self.distance, self.angle = distance, angle
        names = [embedding(network, images) for network in (student, teacher)]
        self._taps = tuple(
            None if name is None else Taps(network, (name,), inputs=True)
            for network, name in zip((student, teacher), names, strict=True)
        )

    def forward(self, said: Tensor, told: Tensor, targets: Any) -> Tensor:
        """Return the loss of a batch, 0 for fewer than three images."""
        mine, theirs = (
            (answers if taps is None else next(iter(taps.take().values()))).flatten(1).float()
            for answers, taps in zip((said, told), self._taps, strict=True)
        )
        if len(mine) < _TRIPLE:
            return 0.0 * mine.sum()
        theirs = theirs.detach()
        near = functional.smooth_l1_loss(_distances(mine), _distances(theirs))
        turned = functional.smooth_l1_loss(_cosines(mine), _cosines(theirs))
        return self.distance * near + self.angle * turned

    def close(self) -> None:
        """Take the hooks off."""
        for taps in self._taps:
            if taps is not None:
                taps.close()


def _distances(rows: Tensor) -> Tensor:
    """Return distances between all rows over their mean, 0 on the diagonal."""
    apart = (rows.unsqueeze(0) - rows.unsqueeze(1)).square().sum(2)
    away = ~torch.eye(len(rows), dtype=torch.bool, device=rows.device)
    found = torch.where(away, apart.clamp(min=_LEAST), 1.0).sqrt() * away
    return found / found[away].mean()


def _cosines(rows: Tensor) -> Tensor:
    """Return the cosines at every row i of the angles between all rows j and k."""
    towards = functional.normalize(rows.unsqueeze(0) - rows.unsqueeze(1), dim=2)
    return torch.bmm(towards, towards.transpose(1, 2))
