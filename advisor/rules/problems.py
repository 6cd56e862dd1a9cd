"""What a check of the rule base reports."""

from dataclasses import dataclass
from typing import Literal

from advisor.errors import AdvisorError

Severity = Literal["error", "warning", "notice"]


@dataclass(frozen=True)
class Problem:
    """One finding; `code` names the check, `rule` is empty where it speaks of no rule, `others` takes part in it.

    `accepted` is the reason why it may stay, where somebody gave one.
    """

    severity: Severity
    code: str
    rule: str
    message: str
    where: str = ""
    others: tuple[str, ...] = ()
    accepted: str = ""

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.severity} [{self.code}] {self.rule + ': ' if self.rule else ''}{self.message}"


def from_error(error: AdvisorError) -> Problem:
    """Turn a loading error into a problem."""
    message = ". ".join(part for part in (error.what, error.remedy) if part)
    return Problem("error", "load", "", message, error.where)
