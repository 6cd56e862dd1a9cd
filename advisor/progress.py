"""How long work reports that it is going on, without knowing who listens."""

from typing import Protocol


class Progress(Protocol):
    """One task at a time: `start` names it and its number of steps (None: unknown), `finish` ends it."""

    def start(self, task: str, total: int | None = None) -> None:
        """Begin a task."""

    def advance(self, steps: int = 1) -> None:
        """Say that steps are done."""

    def finish(self) -> None:
        """End the task."""


class Silent:
    """Reports nothing."""

    def start(self, task: str, total: int | None = None) -> None:
        """Do nothing."""

    def advance(self, steps: int = 1) -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Do nothing."""
