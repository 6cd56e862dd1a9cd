"""Trying the rules on their cases: one row per rule, one per whole case, and what no case reaches."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advisor.resources import data_dir

from .branches import Branch, branches
from .cases import complaints, sides_of
from .conflicts import broken_cases, load_conflicts
from .load import RuleBase
from .whole_cases import read_cases, run_case


@dataclass(frozen=True)
class Trial:
    """One rule's own case, or one whole case: what fails, or nothing."""

    subject: str  # the rule, or the name of the whole case
    side: str  # fires, silent or case
    where: str
    failures: tuple[str, ...]


@dataclass(frozen=True)
class Trials:
    """The outcome of all cases that were asked for; `branches` is over those cases and the rules they belong to."""

    rules: int
    trials: tuple[Trial, ...]
    branches: tuple[Branch, ...]

    @property
    def failed(self) -> tuple[Trial, ...]:
        """What did not hold."""
        return tuple(trial for trial in self.trials if trial.failures)

    @property
    def unreached(self) -> tuple[Branch, ...]:
        """Parts of conditions with an outcome that no case shows."""
        return tuple(branch for branch in self.branches if not (branch.true and branch.false))

    def passed(self, side: str) -> int:
        """How many cases of one side hold."""
        return sum(trial.side == side and not trial.failures for trial in self.trials)

    def summary(self) -> dict[str, Any]:
        """Return everything that there is to tell, as a record."""
        return {
            "rules": self.rules,
            "fired": self.passed("fires"),
            "silent": self.passed("silent"),
            "failed": len(self.failed),
            "trials": self.trials,
            "parts": len(self.branches),
            "unreached": self.unreached,
        }


def try_rules(base: RuleBase, folders: tuple[Path, ...] = ()) -> Trials:
    """Run the cases of the rules of some folders, or of all rules that are loaded where none is named."""
    places = {folder.resolve() for folder in folders}
    chosen = [entry for entry in base if not places or entry.root.resolve() in places]
    own = [
        Trial(entry.rule.id, side, entry.place, complaints(base, entry, side, facts))
        for entry in chosen
        for side, facts in sides_of(entry)
    ]
    asked = folders or (data_dir("knowledge"), *(Path(added.folder) for added in base.added))
    whole = [case for folder in asked for case in read_cases(folder, base)]
    judged = [Trial(case.name, "case", case.where, run_case(base, case)) for case in whole]
    judged += [] if folders else _of_conflicts(base)
    return Trials(len(chosen), (*own, *judged), branches(base.of(chosen), [case.facts for case in whole]))


def _of_conflicts(base: RuleBase) -> list[Trial]:
    """Try whether the rules settle every conflict of sources as its cases say."""
    found = load_conflicts(base).conflicts
    return [
        Trial(f"{one.id}: {one.question}", "case", "conflicts.yaml", tuple(broken_cases(base, one))) for one in found
    ]
