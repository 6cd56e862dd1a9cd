import pytest

from advisor.learning.outcomes.store import Store


@pytest.fixture
def store(tmp_path):
    """An SQLite store of this test's own."""
    return Store(f"sqlite:///{tmp_path / 'outcomes.sqlite'}")


@pytest.fixture
def file(tmp_path):
    """The file of `store`."""
    return tmp_path / "outcomes.sqlite"
