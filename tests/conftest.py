"""What all tests share: no test reads or writes profiles, calibrations or outcomes that the user's own work left."""

import os

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    # Before torch is imported: several workers with a thread for every core would only wait for one another.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory):
    """Keep remembered profiles in a folder of this run, which its workers share, and this machine untaught."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    patch = pytest.MonkeyPatch()
    patch.setenv("ADVISOR_CACHE", str(folder / "profiles"))
    patch.setenv("ADVISOR_CALIBRATION", "off")
    patch.setenv("ADVISOR_OUTCOMES", "off")
    patch.delenv("ADVISOR_RULES", raising=False)
    yield
    patch.undo()
