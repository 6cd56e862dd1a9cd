"""Where output goes: pages and JSON to standard output, progress to standard error."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from advisor.progress import Progress
    from advisor.reports.page import Page


def show_page(page: "Page") -> None:
    """Print a page; colour, width and NO_COLOR are rich's business."""
    from rich.console import Console

    from advisor.reports.terminal import show

    show(page, Console(file=sys.stdout))


def show_json(value: Any) -> None:
    """Print a record as JSON."""
    from advisor.reports.as_json import as_json

    print(as_json(value))


class Bars:
    """Draws the stages of a journey; one stage is open at a time."""

    def __init__(self, progress: "RichProgress") -> None:
        """Take the bars to draw on."""
        self._progress = progress
        self._task: TaskID | None = None

    def start(self, stage: str, total: int | None = None) -> None:
        """Open a stage in place of the one before."""
        self.finish()
        self._task = self._progress.add_task(stage, total=total, note="")

    def advance(self, amount: int = 1, note: str = "") -> None:
        """Move the open stage."""
        if self._task is not None:
            self._progress.update(self._task, advance=amount, note=note)

    def finish(self) -> None:
        """Remove the open stage."""
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None


@contextmanager
def progress(quiet: bool) -> Iterator["Progress"]:
    """Draw bars on standard error while a journey runs, if that is a terminal and `quiet` is not asked for."""
    if quiet or not sys.stderr.isatty():
        from advisor.progress import Silent

        yield Silent()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", style="dim"),
    )
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as drawn:
        bars = Bars(drawn)
        bars.start("loading")
        yield bars
