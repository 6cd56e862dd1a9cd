"""How long work reports its progress; the command line draws bars from it, everything else stays silent."""

from typing import Protocol


class Progress(Protocol):
    """A listener of stages: `start` opens one, `advance` moves it, `finish` closes it."""

    def start(self, stage: str, total: int | None = None) -> None:
        """Open a stage of `total` units, None where the end is not known."""

    def advance(self, amount: int = 1, note: str = "") -> None:
        """Move the open stage by `amount` units; `note` is shown beside it."""

    def finish(self) -> None:
        """Close the open stage."""


class Silent:
    """Report nothing."""

    def start(self, stage: str, total: int | None = None) -> None:
        """Ignore the start."""

    def advance(self, amount: int = 1, note: str = "") -> None:
        """Ignore the step."""

    def finish(self) -> None:
        """Ignore the end."""
