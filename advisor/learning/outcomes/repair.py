"""A damaged store made usable again: what can still be read moves into a new one, the old file stays beside it."""

import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from .outcome import Outcome
from .places import StoreError, file_of, shown
from .store import Store

_COMPANIONS = ("-wal", "-shm", "-journal")
_PATIENCE_S = 5
_BEYOND = 1000  # row numbers that are tried after the last one that could be read


@dataclass(frozen=True)
class Repaired:
    """What a repair came to: outcomes that were saved, rows that were not, and where the damaged file lies now.

    `broken_off`: the list of rows itself ended in a damaged page, so that more may be lost.
    """

    saved: int
    lost: int
    broken_off: bool
    kept_as: Path


def repair(url: str) -> Repaired:
    """Save what can be read of an SQLite store into a new one in its place; the old file is kept under another name."""
    path = file_of(url)
    if path is None:
        raise StoreError(
            "only a store in a file can be repaired here", where=shown(url), remedy="Use the database's own tools."
        )
    if not path.is_file():
        raise StoreError("there is no store to repair", where=str(path), remedy="It appears with the first outcome.")
    _check_ours(path)
    outcomes, lost, broken_off = _salvage(path)
    fresh = path.with_name(f".{path.name}.new")
    _remove(fresh)
    store = Store(f"sqlite:///{fresh}")
    try:
        store.add(outcomes)
        _settle(fresh)
        aside = _free_name(path)
        for end in ("", *_COMPANIONS):  # the log belongs to the old file: it must not be taken for the new one's
            with suppress(FileNotFoundError):
                path.with_name(path.name + end).rename(aside.with_name(aside.name + end))
        fresh.rename(path)
    except OSError as error:
        raise StoreError(
            "the store cannot be replaced", where=str(error), remedy="Check the folder's rights."
        ) from error
    finally:
        store.close()
        _remove(fresh)
    return Repaired(len(outcomes), lost, broken_off, aside)


def _check_ours(path: Path) -> None:
    """Refuse a whole database that holds something else: a file that was named by mistake is not to be moved."""
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(path, timeout=_PATIENCE_S)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if tables and "advisor_outcomes" not in tables:
            raise StoreError("this database is no store of outcomes", where=str(path), remedy="Name the right file.")


def _salvage(path: Path) -> tuple[list[Outcome], int, bool]:
    """Read row by row, over damaged pages: the outcomes, how many rows could not be read, and whether more may be."""
    found: dict[str, Outcome] = {}
    with closing(sqlite3.connect(path, timeout=_PATIENCE_S)) as connection:
        listed, broken_off = _listed(connection)
        lost = sum(not _read(connection, number, found) for number in listed)
        if broken_off:
            last = listed[-1] if listed else 0
            for number in range(last + 1, last + 1 + _BEYOND):
                _read(connection, number, found)
    return list(found.values()), lost, broken_off


def _listed(connection: sqlite3.Connection) -> tuple[list[int], bool]:
    """Return the numbers of the rows, and whether a damaged page ended the list."""
    numbers: list[int] = []
    try:
        for (number,) in connection.execute("SELECT rowid FROM advisor_outcomes NOT INDEXED ORDER BY rowid"):
            numbers.append(number)
    except sqlite3.DatabaseError:
        return numbers, True
    return numbers, False


def _read(connection: sqlite3.Connection, number: int, found: dict[str, Outcome]) -> bool:
    """Add the outcome of a row; tell whether there was one."""
    try:
        query = "SELECT content, elsewhere FROM advisor_outcomes NOT INDEXED WHERE rowid = ?"
        content, elsewhere = connection.execute(query, (number,)).fetchone()
        outcome = Outcome.model_validate_json(content).model_copy(update={"elsewhere": bool(elsewhere)})
    except (sqlite3.DatabaseError, ValidationError, TypeError):
        return False
    found[outcome.id] = outcome
    return True


def _settle(path: Path) -> None:
    """Move everything from the log into the file, so that the file alone is the store."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _free_name(path: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    name = f"{path.stem}.damaged-{stamp}"
    taken = sum(1 for _ in path.parent.glob(f"{name}*{path.suffix}"))
    return path.with_name(f"{name}{f'-{taken}' if taken else ''}{path.suffix}")


def _remove(path: Path) -> None:
    for end in ("", *_COMPANIONS):
        path.with_name(path.name + end).unlink(missing_ok=True)
