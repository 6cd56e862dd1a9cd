"""How the process of a command ends."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SETTING = """
import atexit, sys, tempfile
from advisor.cli import main
kept = tempfile.TemporaryDirectory(prefix="ending-")
atexit.register(lambda: print("tidied", file=sys.stderr))
print(kept.name, file=sys.stderr)
sys.argv = ["advisor", *sys.argv[1:]]
main.run()
print("never reached", file=sys.stderr)
"""


def ended(*arguments, **streams):
    return subprocess.run(
        [sys.executable, "-c", SETTING, *arguments], check=False, text=True, stderr=subprocess.PIPE, **streams
    )


@pytest.mark.parametrize(("arguments", "code"), [(("--version",), 0), (("no-such-command",), 2)])
def test_what_was_registered_for_the_end_is_done_and_the_code_kept(arguments, code):
    done = ended(*arguments, stdout=subprocess.PIPE)
    folder, *said = done.stderr.splitlines()
    assert done.returncode == code
    assert said[-1] == "tidied"
    assert not Path(folder).exists()


def test_all_output_arrives():
    done = ended("devices", "list", "--json", stdout=subprocess.PIPE)
    assert done.returncode == 0
    assert len(json.loads(done.stdout)) > 50


def test_a_reader_that_has_gone_is_told_by_the_code():
    read, write = os.pipe()
    os.close(read)
    done = ended("devices", "list", stdout=write)
    os.close(write)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
