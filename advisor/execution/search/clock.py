"""The budget of time: what is spent, what is left, and stopping work that runs past it."""

import time
from collections.abc import Callable

from advisor.progress import Progress


class OutOfTime(Exception):
    """The budget is spent; raised in the middle of a training and caught by the search, never seen by a user."""


class Clock:
    """Seconds since the search began, against the budget; None is no budget."""

    def __init__(self, budget_s: float | None, now: Callable[[], float] = time.monotonic) -> None:
        self.budget_s, self._now, self._began = budget_s, now, now()

    @property
    def spent(self) -> float:
        """Seconds since the start."""
        return self._now() - self._began

    @property
    def left(self) -> float:
        """Seconds left, infinite without a budget."""
        return float("inf") if self.budget_s is None else max(0.0, self.budget_s - self.spent)

    def allows(self, seconds: float) -> bool:
        """Whether work of this length ends within the budget."""
        return self.left > seconds

    def check(self) -> None:
        """Raise OutOfTime once the budget is spent."""
        if self.left <= 0:
            raise OutOfTime

    def told(self) -> str:
        """Say how much is left, for people who watch."""
        return "" if self.budget_s is None else f"{minutes(self.left)} left"


class Watched:
    """A listener that passes everything on, says what is being tried, and stops the work when time is up."""

    def __init__(self, listener: Progress, clock: Clock) -> None:
        self._listener, self._clock = listener, clock
        self.trying = ""
        self.stops = True  # False: what is being done must be finished, however long it takes

    def start(self, stage: str, total: int | None = None) -> None:
        """Open a stage, named after what is being tried."""
        told = [part for part in (self.trying, stage, self._clock.told()) if part]
        self._listener.start(" · ".join(told), total)

    def advance(self, amount: int = 1, note: str = "") -> None:
        """Move the stage on; raises OutOfTime when the budget is spent."""
        self._listener.advance(amount, note)
        if self.stops:
            self._clock.check()

    def finish(self) -> None:
        """Close the stage."""
        self._listener.finish()


def minutes(seconds: float) -> str:
    """Write '45 s' or '12 min'."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
