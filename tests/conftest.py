"""What all tests share: no test reads or writes profiles and calibrations that the user's own work left behind."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory):
    """Keep remembered profiles in a folder of this run, and this machine uncalibrated."""
    patch = pytest.MonkeyPatch()
    patch.setenv("ADVISOR_CACHE", str(tmp_path_factory.mktemp("cache")))
    patch.setenv("ADVISOR_CALIBRATION", "off")
    yield
    patch.undo()
