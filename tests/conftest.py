"""What all tests share: no test reads or writes the profiles that the user's own questions left behind."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory):
    """Keep remembered profiles in a folder of this run."""
    patch = pytest.MonkeyPatch()
    patch.setenv("ADVISOR_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield
    patch.undo()
