"""Errors that a user can act on: what went wrong, where, and how to mend it."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from advisor.schema import Intake


class AdvisorError(Exception):
    """Base of all errors that are the user's to mend; the command line prints it and exits with `exit_code`."""

    exit_code = 2

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        """Take the three parts of the message: `what` happened, `where`, and the `remedy`."""
        self.what, self.where, self.remedy = what, where, remedy
        super().__init__(". ".join(part for part in (what, where, remedy) if part))


class ModelLoadError(AdvisorError):
    """A model file cannot be opened, recognised or run."""


class UnknownNetwork(ModelLoadError):
    """Weights whose network is not recognised; `intake` keeps what was found out about them."""

    def __init__(self, intake: "Intake", *, what: str, where: str, remedy: str) -> None:
        """Take the findings and the parts of the message."""
        super().__init__(what, where=where, remedy=remedy)
        self.intake = intake


class DeviceError(AdvisorError):
    """A device profile is unknown or wrong."""


class KnowledgeError(AdvisorError):
    """A rule, fact or figure in the knowledge base is malformed."""


class GoalError(AdvisorError):
    """A limit, budget or goal cannot be understood or contradicts itself."""


class DataError(AdvisorError):
    """The image folder is missing, empty, unreadable or does not fit the model."""


class NotApplicable(AdvisorError):
    """A plan cannot be carried out by this version or on this model."""


class RunError(AdvisorError):
    """A run directory is missing, incomplete or damaged."""


def nearest(name: str, known: Iterable[str], count: int = 3) -> str:
    """Return ' Did you mean a, b or c?' for the names nearest to `name`, or an empty string."""
    hits = get_close_matches(name, list(dict.fromkeys(known)), n=count, cutoff=0.5)
    if not hits:
        return ""
    listed = hits[0] if len(hits) == 1 else ", ".join(hits[:-1]) + " or " + hits[-1]
    return f"Did you mean {listed}?"


def first_line(error: BaseException, length: int = 300) -> str:
    """Return the first line of what a library raised, or the name of its class: the rest is its own stack."""
    text = str(error).strip()
    return text.splitlines()[0][:length] if text else type(error).__name__
