import pytest

from tests.cli.conftest import invoke, invoke_json  # noqa: F401  (fixtures)

from . import runs
from .sshd import serving


@pytest.fixture
def run_dir(tmp_path):
    return runs.write_run(tmp_path / "run")


@pytest.fixture(scope="session")
def small_run(tmp_path_factory):
    """A run that tests only read."""
    return runs.write_run(tmp_path_factory.mktemp("small") / "run")


@pytest.fixture
def quick(monkeypatch):
    """Make kits whose rounds are short: these tests look at what is recorded, not at how long it took."""
    monkeypatch.setattr("advisor.onboard.kit.ROUND_SECONDS", 0.01)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A server whose programs keep their temporary folders where a test can look."""
    folder = tmp_path_factory.mktemp("sshd")
    (folder / "tmp").mkdir()
    with serving(folder, f"SetEnv TMPDIR={folder}/tmp") as found:
        yield found
