"""The teacher's class as a second label (DeiT, Touvron et al., arXiv 2012.12877): cross-entropy with its argmax.

In DeiT the second label goes to a token of its own; here both go to the one classifier, so that any student can be
taught.
"""

from typing import Any

from torch import Tensor
from torch.nn import functional

from .mixed import Term


class HardLabel(Term):
    """Cross-entropy with what the teacher decides; maps of scores place by place."""

    def forward(self, said: Tensor, told: Tensor, targets: Any) -> Tensor:
        """Return the loss."""
        return functional.cross_entropy(said.float(), told.argmax(1))
