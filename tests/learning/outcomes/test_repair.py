"""What can be read of a damaged store is saved, and the damaged file is kept."""

import os
import sqlite3

import pytest

from advisor.learning.outcomes import StoreError
from advisor.learning.outcomes.repair import repair
from advisor.learning.outcomes.store import Store

from .builders import outcome


def filled(store, file, count=60):
    store.add([outcome(number) for number in range(count)])
    store.close()
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return [outcome(number) for number in range(count)]


def test_what_can_be_read_is_saved(store, file):
    given = filled(store, file)
    content = bytearray(file.read_bytes())
    middle = (len(content) // 4096 // 2) * 4096
    content[middle : middle + 8192] = os.urandom(8192)
    file.write_bytes(content)
    with pytest.raises(StoreError):
        store.read()
    found = repair(store.url)
    saved = store.read()
    assert 0 < len(saved) == found.saved < len(given)
    assert {one.id for one in saved} <= {one.id for one in given}
    assert found.kept_as.read_bytes() == bytes(content)
    assert store.add([outcome(200)]) == 1


def test_a_row_that_is_no_outcome_is_left_behind(store, file):
    filled(store, file, 5)
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE advisor_outcomes SET content = 'nonsense' WHERE id = ?", (outcome(2).id,))
    found = repair(store.url)
    assert (found.saved, found.lost, found.broken_off) == (4, 1, False)
    assert outcome(2) not in store.read()


def test_a_file_that_is_no_database_leaves_an_empty_store(store, file):
    file.write_bytes(b"nothing" * 1000)
    found = repair(store.url)
    assert (found.saved, found.broken_off) == (0, True)
    assert store.read() == ()
    assert found.kept_as.read_bytes() == b"nothing" * 1000


def test_a_whole_store_stays_what_it_was_and_no_file_is_lost(store, file):
    given = filled(store, file, 5)
    imported = outcome(9, elsewhere=True)
    store.add([imported])
    repair(store.url)
    again = repair(store.url)
    assert list(store.read()) == [*given, imported]
    assert len(list(file.parent.glob("outcomes.damaged-*.sqlite"))) == 2
    assert again.saved == 6
    assert not list(file.parent.glob(".*"))


@pytest.mark.parametrize(
    ("url", "said"), [("postgresql://h/d", "only a store in a file"), ("sqlite:////none/x", "no store")]
)
def test_what_cannot_be_repaired_is_said(url, said):
    with pytest.raises(StoreError, match=said):
        repair(url)


def test_another_database_is_not_moved(store, file):
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE letters (a TEXT)")
    with pytest.raises(StoreError, match="no store of outcomes"):
        repair(store.url)
    assert list(file.parent.iterdir()) == [file]


def test_the_repaired_store_is_independent_of_the_old_log(store, file):
    filled(store, file, 3)
    reader = sqlite3.connect(file)
    reader.execute("SELECT COUNT(*) FROM advisor_outcomes").fetchone()
    Store(store.url).add([outcome(50)])  # stays in the log, because the reader keeps it open
    repair(store.url)
    reader.close()
    assert len(store.read()) == 4
