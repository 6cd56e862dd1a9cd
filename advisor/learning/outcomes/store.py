"""The outcomes store: adding outcomes and reading them back, by several processes at once.

SQLite by default, with a write-ahead log and patience for other writers; any database that SQLAlchemy reaches will do.
Every call is one transaction: what was stored is there whole, whatever happens to the process.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from sqlite3 import OperationalError
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from .migrations import is_current, migrate
from .outcome import Outcome
from .places import StoreError, file_of, shown

PATIENCE_S = 60  # wait for other writers, or for a server, at most this long
_TIMEOUTS = {
    "sqlite": "timeout",
    "postgresql+pg8000": "timeout",
    "postgresql+psycopg": "connect_timeout",
    "postgresql+psycopg2": "connect_timeout",
    "postgresql": "connect_timeout",
}  # what drivers call it
_INSERT = text(
    "INSERT INTO advisor_outcomes (id, recorded, device, techniques, elsewhere, content) "
    "VALUES (:id, :recorded, :device, :techniques, :elsewhere, :content)"
)


class Store:
    """A store at a URL; what is added first makes it."""

    def __init__(self, url: str) -> None:
        """Take the place; nothing is opened before it is needed."""
        self.url = url
        self._engine: Engine | None = None

    def exists(self) -> bool:
        """Tell whether there may be anything to read; asks a file only."""
        file = file_of(self.url)
        return file is None or file.is_file()

    def add(self, outcomes: Iterable[Outcome]) -> int:
        """Store outcomes that are not there yet, all or none; return how many those were."""
        file = file_of(self.url)
        if file is not None:
            with self._told():
                file.parent.mkdir(parents=True, exist_ok=True)
        with self._transaction(writes=True) as connection:
            migrate(connection)
            return sum(self._insert(connection, outcome) for outcome in outcomes)

    def read(
        self, device: str | None = None, technique: str | None = None, latest: int | None = None
    ) -> tuple[Outcome, ...]:
        """Return outcomes, the oldest first: of a device, of plans with this technique, the `latest` ones, or all."""
        if not self.exists():
            return ()
        with self._transaction(writes=False) as connection:
            current = is_current(connection)
        if not current:
            with self._transaction(writes=True) as connection:
                migrate(connection)
        with self._transaction(writes=False) as connection:
            where = "WHERE device = :device" if device is not None else ""
            limit = "" if latest is None else f"LIMIT {int(latest)}"
            rows = connection.execute(
                text(
                    f"SELECT content, elsewhere FROM advisor_outcomes {where} ORDER BY recorded DESC, id DESC {limit}"
                ),
                {} if device is None else {"device": device},
            ).all()
        found = [self._outcome(row.content, bool(row.elsewhere)) for row in reversed(rows)]
        return tuple(one for one in found if technique is None or technique in (*one.techniques, one.form))

    def close(self) -> None:
        """Let the database go."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    @staticmethod
    def _insert(connection: Connection, outcome: Outcome) -> int:
        named = outcome if outcome.id else outcome.named()
        known = connection.execute(text("SELECT 1 FROM advisor_outcomes WHERE id = :id"), {"id": named.id}).first()
        if known is not None:
            return 0
        row = {
            "id": named.id, "recorded": named.recorded, "device": named.device, "techniques": named.form[:500],
            "elsewhere": int(named.elsewhere), "content": named.model_dump_json(exclude_defaults=True),
        }  # fmt: skip
        try:
            with connection.begin_nested():
                connection.execute(_INSERT, row)
        except IntegrityError:  # another process stored the same one meanwhile
            return 0
        return 1

    def _outcome(self, content: str, elsewhere: bool) -> Outcome:
        try:
            return Outcome.model_validate_json(content).model_copy(update={"elsewhere": elsewhere})
        except (ValidationError, TypeError) as error:
            raise self._damaged(f"an outcome in it cannot be read: {str(error).splitlines()[0]}") from error

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[Connection]:
        with self._told():
            engine = self._opened()
            with engine.connect().execution_options(writes=writes) as connection, connection.begin():
                yield connection

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what a database may complain of into one message with a way out."""
        try:
            yield
        except (DBAPIError, OSError) as error:
            said = str(getattr(error, "orig", None) or error).splitlines()[0]
            if file_of(self.url) is not None and _says_damage(said):
                raise self._damaged(said) from error
            remedy = "Check the place, or name another store with --outcomes or ADVISOR_OUTCOMES (off: none)."
            raise StoreError(
                f"the outcomes store cannot be used: {said}", where=shown(self.url), remedy=remedy
            ) from error
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise StoreError(
                f"the outcomes store cannot be opened: {str(error).splitlines()[0]}",
                where=shown(self.url),
                remedy="Name a file, or the URL of a database whose driver is installed.",
            ) from error
        except SQLAlchemyError as error:
            raise StoreError(
                f"the outcomes store cannot be used: {str(error).splitlines()[0]}", where=shown(self.url)
            ) from error

    def _damaged(self, said: str) -> StoreError:
        return StoreError(
            f"the outcomes store is damaged: {said}",
            where=shown(self.url),
            remedy="'advisor history repair' saves what can be read and keeps the damaged file beside it.",
        )

    def _opened(self) -> Engine:
        if self._engine is None:
            waiting = _TIMEOUTS.get(self.url.partition("://")[0])
            arguments = {} if waiting is None else {waiting: PATIENCE_S}
            self._engine = create_engine(self.url, poolclass=NullPool, connect_args=arguments)
            if file_of(self.url) is not None:
                event.listen(self._engine, "connect", _set_up)
                event.listen(self._engine, "begin", _begin)
        return self._engine


def _set_up(connection: Any, _record: Any) -> None:
    """Let readers and a writer work side by side; transactions are begun by hand, as SQLAlchemy advises for SQLite."""
    connection.isolation_level = None
    cursor = connection.cursor()
    with suppress(OperationalError):  # another process is just switching, or the place allows none: slower, as safe
        cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin(connection: Connection) -> None:
    """Take the write lock at once where writing is meant: a reader that turns writer can be refused without waiting."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


def _says_damage(text_: str) -> bool:
    return any(word in text_ for word in ("malformed", "not a database"))
