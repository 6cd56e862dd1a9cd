"""The loss on the labels, alone or beside a term of the teacher."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

Hard = Callable[[Any, Any], Tensor]


class Term(nn.Module):
    """What the teacher says: `forward(said, told, targets)` compares the answers of student and teacher to one batch.

    A term that looks inside the networks has hooks on them, which `close` takes off.
    """

    def fits(self, output: Any) -> bool:
        """Whether the term can compare such answers; scores of classes, (n, classes, ...), unless a term says more."""
        return isinstance(output, Tensor) and output.dim() >= 2 and output.shape[1] > 1

    def close(self) -> None:
        """Leave student and teacher as they were."""


class Labels(nn.Module):
    """The loss of the task; the teacher is not asked."""

    def __init__(self, hard: Hard) -> None:
        """Take the loss on the labels."""
        super().__init__()
        self.hard = hard

    def forward(self, student: Any, teacher: Any, images: Tensor, targets: Any) -> Tensor:
        """Return the loss of a batch."""
        return self.hard(student(images), targets)

    def close(self) -> None:
        """There is nothing to take off."""


class Taught(nn.Module):
    """(1 - share) x loss of the task + share x scale x term of the teacher.

    Answers that the term cannot compare, and networks without a teacher, are taught by labels alone.
    """

    def __init__(self, hard: Hard, term: Term, share: float, scale: float = 1.0) -> None:
        """Take the loss on the labels and what the teacher says."""
        super().__init__()
        self.hard, self.term, self.share, self.scale = hard, term, share, scale

    def forward(self, student: Any, teacher: Any, images: Tensor, targets: Any) -> Tensor:
        """Return the loss of a batch."""
        said = student(images)
        hard = self.hard(said, targets)
        if teacher is None or not self.term.fits(said):
            return hard
        with torch.no_grad():
            told = teacher(images)
        soft: Tensor = self.term(said, told, targets)
        return (1 - self.share) * hard + self.share * self.scale * soft

    def close(self) -> None:
        """Take the hooks of the term off student and teacher."""
        self.term.close()
