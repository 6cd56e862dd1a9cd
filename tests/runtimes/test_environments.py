"""Environments of their own: made on request, whole or not at all."""

import subprocess
import sys

import pytest

from advisor.errors import NotApplicable, RunError
from advisor.runtimes.environments import READY, Environment


@pytest.fixture
def environment(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    monkeypatch.delenv("ADVISOR_TEST_PYTHON", raising=False)
    return Environment("thing-1", ("thing==1",), "it wants another torch", "about 1 GB", "ADVISOR_TEST_PYTHON")


@pytest.fixture
def commands(environment, monkeypatch):
    """What would be run; a venv gets its Python, and pip fails where it is told to."""
    seen = []

    def run(command, **options):
        seen.append((command, options))
        if command[1:3] == ["-m", "venv"]:
            python = environment.folder / "bin/python"
            python.parent.mkdir(parents=True)
            python.symlink_to(sys.executable)
        if "FAIL" in options["env"] and "pip" in command:
            raise subprocess.CalledProcessError(1, command, stderr="looking\nno such package\n")

    monkeypatch.setattr(subprocess, "run", run)
    return seen


def test_what_is_not_there_says_why_and_how_to_get_it(environment):
    with pytest.raises(NotApplicable, match=r"another torch.*--install once \(about 1 GB\).*ADVISOR_TEST_PYTHON"):
        environment.needed()


def test_it_is_made_once_and_found_again(environment, commands, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    python = environment.make()
    assert python == environment.needed() == environment.make()
    assert [command[2] for command, _ in commands] == ["venv", "pip"]
    assert commands[1][0][-1] == "thing==1"
    assert all("PYTHONPATH" not in options["env"] for _, options in commands)


def test_a_failed_installation_leaves_nothing_and_shows_the_reason(environment, commands, monkeypatch):
    monkeypatch.setenv("FAIL", "1")
    with pytest.raises(RunError, match=r"could not be made: no such package.*pip install thing==1"):
        environment.make()
    assert not environment.folder.exists()


def test_one_that_was_interrupted_is_made_anew(environment, commands):
    environment.folder.mkdir(parents=True)
    (environment.folder / "half").write_text("")
    assert environment.python() is None
    environment.make()
    assert not (environment.folder / "half").exists()
    assert (environment.folder / READY).read_text() == "thing==1\n"


def test_a_variable_names_another_python(environment, monkeypatch, tmp_path):
    monkeypatch.setenv("ADVISOR_TEST_PYTHON", sys.executable)
    assert str(environment.needed()) == sys.executable
    monkeypatch.setenv("ADVISOR_TEST_PYTHON", str(tmp_path / "nothing"))
    with pytest.raises(NotApplicable, match="ADVISOR_TEST_PYTHON names no Python"):
        environment.needed()
