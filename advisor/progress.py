"""How long work reports its progress; the command line draws bars from it, everything else stays silent."""

import sys
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")


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


def tracked(items: Sequence[T], stage: str) -> Iterable[T]:
    """Go through items with a bar on standard error, if that is a terminal: for programs that are run with `-m`."""
    from rich.console import Console
    from rich.progress import track

    return track(items, stage, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
