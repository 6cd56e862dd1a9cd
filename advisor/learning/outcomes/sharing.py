"""Outcomes as lines of JSON for sharing: written whole or not at all, and read back all or none."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from advisor.errors import DataError
from advisor.resources import first_mistake
from advisor.writing import write_text

from .outcome import Figure, Outcome
from .store import Store

LONGEST = 1_000_000  # characters of a line; an outcome takes two to six thousand
_CONDITIONS = ("load_average", "governor", "throttle_events", "throttled")


@dataclass(frozen=True)
class Imported:
    """How many outcomes a file held, and how many of them were new."""

    read: int
    new: int


def write_outcomes(outcomes: Iterable[Outcome], path: Path, *, anonymise: bool = False) -> int:
    """Write outcomes, one a line; return how many. Anonymised ones name no model, file or folder."""
    lines = [
        (anonymous(one) if anonymise else one).model_dump_json(exclude_defaults=True, exclude={"elsewhere"})
        for one in outcomes
    ]
    write_text(path, "".join(f"{line}\n" for line in lines))
    return len(lines)


def anonymous(outcome: Outcome) -> Outcome:
    """Return an outcome without what could tell whose model it is; its id stays, so that copies are known as such.

    Of settings only numbers and switches stay: names of layers, networks and files are text.
    """
    return outcome.model_copy(
        update={
            "model": "",
            "model_digest": "",
            "steps": tuple(_numbers(step) for step in outcome.steps),
            "figures": tuple(_bare(figure) for figure in outcome.figures),
            "unchanged": tuple(_bare(figure) for figure in outcome.unchanged),
            "environment": {k: v for k, v in outcome.environment.items() if k in _CONDITIONS},
        }
    )


def _numbers(step: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in step.items() if name == "name" or isinstance(value, bool | int | float)}


def _bare(figure: Figure) -> Figure:
    return figure.model_copy(update={"note": ""})


def read_outcomes(path: Path) -> tuple[Outcome, ...]:
    """Read a file of outcomes; one line that is none refuses the whole file, with its number."""
    remedy = "Give a file that 'advisor history export' wrote."
    found = []
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    found.append(_outcome(line))
                except (ValidationError, ValueError) as error:
                    said = first_mistake(error) if isinstance(error, ValidationError) else str(error)
                    raise DataError(f"line {number} is no outcome: {said}", where=str(path), remedy=remedy) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the outcomes in {path} cannot be read", where=str(error), remedy=remedy) from error
    return tuple(found)


def _outcome(line: str) -> Outcome:
    if len(line) > LONGEST:
        raise ValueError(f"it is longer than {LONGEST:,} characters")
    outcome = Outcome.model_validate_json(line).model_copy(update={"elsewhere": True})
    return outcome if outcome.id else outcome.named()


def import_outcomes(path: Path, store: Store) -> Imported:
    """Add the outcomes of a file that the store does not hold yet; they are marked as measured elsewhere."""
    found = read_outcomes(path)
    return Imported(len(found), store.add(found))
