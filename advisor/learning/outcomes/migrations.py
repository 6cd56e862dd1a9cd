"""The store's tables by version: each step takes a store from the version before to its own, once.

A store carries its version in a table of its own. Steps are never changed after a release, only added.
"""

from collections.abc import Callable

from sqlalchemy import Connection, inspect, text

from .places import StoreError

_VERSION = "advisor_outcomes_version"
_LOCK = 0x61647673  # of this store's migrations among a database's advisory locks


def _first(connection: Connection) -> None:
    """Create the outcomes: what lists filter by as columns, the whole as JSON."""
    connection.execute(
        text(
            "CREATE TABLE advisor_outcomes (id VARCHAR(64) PRIMARY KEY, recorded VARCHAR(40) NOT NULL, "
            "device VARCHAR(200) NOT NULL, techniques VARCHAR(500) NOT NULL, elsewhere INTEGER NOT NULL, "
            "content TEXT NOT NULL)"
        )
    )


def _second(connection: Connection) -> None:
    """Index what recommendations ask for."""
    connection.execute(text("CREATE INDEX advisor_outcomes_by_device ON advisor_outcomes (device, recorded)"))


Step = Callable[[Connection], None]
STEPS: tuple[Step, ...] = (_first, _second)


def migrate(connection: Connection, steps: tuple[Step, ...] | None = None) -> None:
    """Bring a store up to date inside the transaction of `connection`; one that is newer is refused."""
    steps = STEPS if steps is None else steps
    if connection.dialect.name == "postgresql":  # two processes may come upon an empty database at once
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    connection.execute(text(f"CREATE TABLE IF NOT EXISTS {_VERSION} (version INTEGER NOT NULL)"))
    now = connection.execute(text(f"SELECT MAX(version) FROM {_VERSION}")).scalar() or 0
    if now > len(steps):
        raise StoreError(
            f"the outcomes store is of version {now}, this advisor knows {len(steps)}",
            remedy="Install the newer advisor, or name another store with --outcomes or ADVISOR_OUTCOMES.",
        )
    for number in range(now, len(steps)):
        steps[number](connection)
        connection.execute(text(f"INSERT INTO {_VERSION} (version) VALUES (:number)"), {"number": number + 1})


def is_current(connection: Connection) -> bool:
    """Tell whether a store is of the present version, without changing it."""
    if not inspect(connection).has_table(_VERSION):
        return False
    return bool(connection.execute(text(f"SELECT MAX(version) FROM {_VERSION}")).scalar() == len(STEPS))
