"""Outcomes survive: several writers, a killed one, older and newer versions; a damaged store is refused."""

import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from sqlalchemy import text

from advisor.learning.outcomes import StoreError, migrations, place_of
from advisor.learning.outcomes.places import file_of, shown
from advisor.learning.outcomes.store import Store

from .builders import outcome

WRITER = """
import sys
from advisor.learning.outcomes.store import Store
from tests.learning.outcomes.builders import outcome
store, who, count = Store(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
for number in range(count):
    store.add([outcome(number, machine=f"writer {who}")])
    print(number, flush=True)
"""


def writer(url, who, count):
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", WRITER, url, str(who), str(count)]
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def started(url, count, each):
    """Start writers and let them go at once, when all are ready."""
    running = [writer(url, who, each) for who in range(count)]
    for one in running:
        assert one.stdout.readline().strip() == "ready"
    for one in running:
        one.stdin.write("go\n")
        one.stdin.flush()
    return running


def test_outcomes_come_back_as_they_were_the_oldest_first(store):
    given = [outcome(2), outcome(1), outcome(3)]
    assert store.add(given) == 3
    assert store.read() == (given[1], given[0], given[2])
    assert store.read(latest=2) == (given[0], given[2])


def test_reading_makes_no_file(store, file):
    assert store.read() == ()
    assert not file.exists()


def test_the_same_outcome_is_kept_once(store):
    assert store.add([outcome(1), outcome(2)]) == 2
    assert store.add([outcome(2), outcome(1), outcome(1, 0.5)]) == 1
    assert len(store.read()) == 3


def test_outcomes_are_found_by_device_and_technique(store):
    store.add([outcome(1), outcome(2, device="board"), outcome(3, techniques=("prune_channels", "static_int8")),
               outcome(4, techniques=())])  # fmt: skip
    assert [one.model for one in store.read(device="board")] == ["net2"]
    assert [one.model for one in store.read(technique="static_int8")] == ["net1", "net2", "net3"]
    assert [one.model for one in store.read(technique="prune_channels+static_int8")] == ["net3"]
    assert [one.model for one in store.read(technique="none")] == ["net4"]


def test_eight_writers_at_once_lose_nothing(store):
    running = started(store.url, 8, 12)
    for one in running:
        one.communicate(timeout=120)
    assert [one.returncode for one in running] == [0] * 8
    found = store.read()
    assert len(found) == 96
    assert {one.machine for one in found} == {f"writer {who}" for who in range(8)}


def test_a_killed_writer_leaves_whole_outcomes(store, file):
    (running,) = started(store.url, 1, 100_000)
    told = [running.stdout.readline() for _ in range(5)]
    running.send_signal(signal.SIGKILL)
    running.wait(timeout=30)
    found = store.read()
    assert len(found) >= len(told)  # what was told as written is there
    assert all(one == outcome(number, machine="writer 0") for number, one in enumerate(found))
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert store.add([outcome(7, machine="later")]) == 1


def test_a_writer_waits_for_another_one(store, file):
    store.add([outcome(0)])
    blocker = sqlite3.connect(file, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    (waiting,) = started(store.url, 1, 1)
    time.sleep(0.3)
    assert waiting.poll() is None
    blocker.execute("COMMIT")
    blocker.close()
    waiting.communicate(timeout=60)
    assert waiting.returncode == 0
    assert len(store.read()) == 2


def test_nothing_is_kept_of_an_addition_that_fails(store):
    def broken():
        yield outcome(1)
        raise RuntimeError("the source broke off")

    with pytest.raises(RuntimeError):
        store.add(broken())
    assert store.read() == ()


def test_an_older_store_is_brought_up_to_date(store, file, monkeypatch):
    monkeypatch.setattr(migrations, "STEPS", migrations.STEPS[:1])
    store.add([outcome(1)])
    store.close()
    monkeypatch.undo()
    assert store.read() == (outcome(1),)
    with sqlite3.connect(file) as connection:
        versions = connection.execute("SELECT version FROM advisor_outcomes_version").fetchall()
        indices = connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'").fetchall()
    assert versions == [(1,), (2,)]
    assert ("advisor_outcomes_by_device",) in indices


def test_a_step_that_fails_leaves_the_store_as_it_was(store, monkeypatch):
    store.add([outcome(1)])

    def half_way(connection):
        connection.execute(text("CREATE TABLE half (a INTEGER)"))
        raise RuntimeError("stopped")

    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, half_way))
    with pytest.raises(RuntimeError):
        store.add([outcome(2)])
    monkeypatch.undo()
    assert store.read() == (outcome(1),)
    assert store.add([outcome(3)]) == 1


def test_a_newer_store_is_refused(store, monkeypatch):
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, lambda _: None))
    store.add([outcome(1)])
    monkeypatch.undo()
    for use in (store.read, lambda: store.add([outcome(2)])):
        with pytest.raises(StoreError, match="of version 3, this advisor knows 2"):
            use()


def spoil_head(file):
    file.write_bytes(b"no database at all, whatever its name says" * 100)


def spoil_middle(file):
    content = bytearray(file.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    file.write_bytes(content)


def cut(file):
    file.write_bytes(file.read_bytes()[:5000])


def spoil_outcome(file):
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE advisor_outcomes SET content = '{}' WHERE id = ?", (outcome(3).id,))


@pytest.mark.parametrize("harm", [spoil_head, spoil_middle, cut, spoil_outcome])
def test_a_damaged_store_is_refused_with_a_way_out(store, file, harm):
    store.add([outcome(number) for number in range(20)])
    store.close()
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    harm(file)
    with pytest.raises(StoreError, match="damaged") as found:
        store.read()
    assert "advisor history repair" in found.value.remedy
    assert found.value.where == str(file)
    assert found.value.exit_code == 2


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("nosuch://place", "cannot be opened"),
        ("sqlite:////proc/none/x.sqlite", "cannot be used"),
        ("://", "cannot be opened"),
    ],
)
def test_a_place_that_cannot_be_used_is_refused(named, said):
    with pytest.raises(StoreError, match=said):
        Store(named).add([outcome(1)])


def test_the_place_is_named_by_option_variable_or_the_users_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("ADVISOR_OUTCOMES", str(tmp_path / "a.sqlite"))
    assert file_of(place_of()) == tmp_path / "a.sqlite"
    assert place_of("postgresql://u:secret@host/db") == "postgresql://u:secret@host/db"
    assert shown(place_of("postgresql://u:secret@host/db")) == "postgresql://u:***@host/db"
    assert place_of("off") is None
    monkeypatch.delenv("ADVISOR_OUTCOMES")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert file_of(place_of()).parts[-2:] == ("advisor", "outcomes.sqlite")
    monkeypatch.setenv("ADVISOR_OUTCOMES", "off")
    assert place_of() is None
