"""Which rules are still open in a case, so that plans of one case need not ask the others again."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from advisor.schema import Finding

from .expressions import Facts
from .partial import foresee
from .vocabulary import PER_CANDIDATE

if TYPE_CHECKING:
    from .load import Compiled

Open = tuple[tuple[int, "Compiled"], ...]


class Relevant:
    """The rules of one scope. It remembers what the facts of the case asked last leave open."""

    def __init__(self, entries: Iterable["Compiled"]) -> None:
        """Take the rules in the order in which their findings are wanted."""
        self._all: Open = tuple(enumerate(entries))
        self._silent: tuple[Finding, ...] = tuple(entry.silent for _, entry in self._all)
        self._names = tuple(sorted({n for _, e in self._all for n in e.when.names if not _of_a_plan(n)}))
        self._foresee = tuple(foresee(entry.when, _of_a_plan) for _, entry in self._all)
        self._last: tuple[tuple[Any, ...] | None, Open | None] = (None, None)  # in one piece, for threads

    def silent(self) -> list[Finding]:
        """Return what is reported if no rule applies, to be filled with the findings of those that do."""
        return list(self._silent)

    def open(self, facts: Facts) -> Open:
        """Return the rules, with their places, that the facts of the case do not exclude.

        The work pays from the second plan of a case on; a case asked once is not looked through.
        """
        case = tuple(map(facts.get, self._names))
        last, found = self._last
        if case != last:
            self._last = (case, None)
            return self._all
        if found is None:
            known = dict(zip(self._names, case, strict=True))
            found = tuple(one for one, run in zip(self._all, self._foresee, strict=True) if run(known) is not False)
            self._last = (case, found)
        return found


def _of_a_plan(name: str) -> bool:
    return name.startswith(PER_CANDIDATE)
