"""The same store in PostgreSQL: in the database ADVISOR_TEST_POSTGRES, or where the programs are installed."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from advisor.learning.outcomes import StoreError, migrations
from advisor.learning.outcomes.store import Store

from .builders import outcome
from .test_store import started

pytest.importorskip("pg8000")
USER = "postgres"


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    named = os.environ.get("ADVISOR_TEST_POSTGRES")
    if named:
        yield named
        return
    programs = [Path(p) for p in (shutil.which("initdb"),) if p] or sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb")
    )
    if not programs:
        pytest.skip("no PostgreSQL server is installed")
    folder, bin_ = Path("/tmp") / f"advisor-test-pg-{os.getpid()}", programs[-1].resolve().parent
    as_user = {"user": USER} if os.geteuid() == 0 else {}  # the server does not run as root
    folder.mkdir(mode=0o700)
    server = None
    try:
        if as_user:
            shutil.chown(folder, USER, USER)
        made = [bin_ / "initdb", "-D", folder / "data", "-U", USER, "-A", "trust", "--no-sync"]
        subprocess.run(made, check=True, capture_output=True, cwd="/", **as_user)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [bin_ / "postgres", "-D", folder / "data", "-p", str(port), "-k", folder, "-c", "fsync=off",
                   "-c", "listen_addresses=127.0.0.1"]  # fmt: skip
        server = subprocess.Popen(command, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **as_user)
        for _ in range(100):
            with socket.socket() as asked:
                if asked.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"postgresql+pg8000://{USER}@127.0.0.1:{port}/postgres"
    except (OSError, LookupError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no PostgreSQL server can be started here: {error}")
    finally:
        if server is not None:
            server.terminate()
            server.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(url):
    """An empty database."""
    from sqlalchemy import create_engine, text

    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS advisor_outcomes, advisor_outcomes_version"))
    engine.dispose()
    return Store(url)


def test_writers_that_meet_at_an_empty_database_lose_nothing(database):
    running = started(database.url, 4, 6)
    for one in running:
        one.communicate(timeout=60)
    assert [one.returncode for one in running] == [0] * 4
    assert len(database.read()) == 24


def test_outcomes_come_back_are_kept_once_and_found(database):
    given = [outcome(1), outcome(2, device="board")]
    assert (database.add(given), database.add(given)) == (2, 0)
    assert database.read() == tuple(given)
    assert database.read(device="board") == (given[1],)


def test_an_older_database_is_brought_up_to_date_and_a_newer_one_refused(database, monkeypatch):
    monkeypatch.setattr(migrations, "STEPS", migrations.STEPS[:1])
    database.add([outcome(1)])
    monkeypatch.undo()
    assert database.read() == (outcome(1),)
    monkeypatch.setattr(migrations, "STEPS", (*migrations.STEPS, lambda _: None))
    database.add([outcome(2)])
    monkeypatch.undo()
    with pytest.raises(StoreError, match="of version 3"):
        database.read()


def test_a_server_that_is_gone_is_refused(url):
    gone = "postgresql+pg8000://nobody:secret@127.0.0.1:1/none"
    with pytest.raises(StoreError, match="cannot be used") as found:
        Store(gone).read()
    assert "secret" not in str(found.value)
