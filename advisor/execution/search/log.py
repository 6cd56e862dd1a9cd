"""The trials of a search, in order, and which of those that hold is the best.

They are written down after every trial, so that a search that was stopped does not try the same again.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from advisor.errors import AdvisorError, RunError
from advisor.execution.steps import Carried
from advisor.facts import plan_precision
from advisor.schema import Plan, Trial
from advisor.writing import write_text

_TRIALS = TypeAdapter(tuple[Trial, ...])


@dataclass(frozen=True)
class Costs:
    """What a setting leaves; `times_as_fast` against the unchanged model in the same runtime, a quick look."""

    macs: int | None
    megabytes: float
    times_as_fast: float

    @property
    def gain(self) -> float:
        """Speed per megabyte: larger is better."""
        return self.times_as_fast / self.megabytes


@dataclass
class Log:
    """Trials; the carried-out models of those that hold; where the trials are written to."""

    file: Path | None = None
    trials: list[Trial] = field(default_factory=list)
    held: dict[int, Carried] = field(default_factory=dict)

    @contextmanager
    def trial(self, plan: Plan) -> Iterator[dict[str, Any]]:
        """Give a record to fill in; it is kept when the trial ends, unless its outcome is "untold".

        An error that a user would mend ends the trial, not the search: it stands in the record.
        """
        began = time.monotonic()
        found: dict[str, Any] = {"asked": plan, "plan": plan, "outcome": "unfinished", "reason": "the time was up"}
        try:
            yield found
        except AdvisorError as error:
            found.update(outcome="refused", reason=error.what)
        except Exception:
            if found["outcome"] == "unfinished":
                self._keep(found, began)
            raise
        if found["outcome"] != "untold":
            self._keep(found, began)

    def hold(self, carried: Carried) -> None:
        """Keep the model of the trial that is about to end."""
        self.held[len(self.trials) + 1] = carried

    def known(self, asked: Plan) -> Trial | None:
        """Return how this setting ended, None where it was not tried to the end."""
        return next((trial for trial in self.trials if trial.asked == asked and trial.outcome != "unfinished"), None)

    @property
    def best(self) -> Trial | None:
        """The trial that holds with the largest gain, the earlier one of equals."""
        holding = [trial for trial in self.trials if trial.outcome == "holds"]
        return max(holding, key=lambda trial: costs_of(trial).gain, default=None)

    @property
    def in_float(self) -> tuple[Trial, ...]:
        """The trials that hold without quantization."""
        held = (trial for trial in self.trials if trial.outcome == "holds")
        return tuple(trial for trial in held if plan_precision(trial.plan) == "fp32")

    def _keep(self, found: dict[str, Any], began: float) -> None:
        seconds = round(time.monotonic() - began, 2)
        self.trials.append(Trial(number=len(self.trials) + 1, seconds=seconds, **found))
        if self.file is not None:
            write_text(self.file, _TRIALS.dump_json(tuple(self.trials), indent=1).decode() + "\n")


def read_log(file: Path | None) -> Log:
    """Return the log of a search that was stopped, an empty one where there is none."""
    if file is None or not file.is_file():
        return Log(file)
    try:
        return Log(file, list(_TRIALS.validate_json(file.read_bytes())))
    except ValidationError as error:
        first = str(error).splitlines()[0]
        raise RunError(
            f"the trials cannot be read: {first}", where=str(file), remedy="Start anew with --restart."
        ) from error


def costs_of(trial: Trial) -> Costs:
    """Return the costs of a trial that was measured."""
    if trial.megabytes is None or trial.times_as_fast is None:
        raise ValueError(f"trial {trial.number} was not measured")
    return Costs(trial.macs, trial.megabytes, trial.times_as_fast)
