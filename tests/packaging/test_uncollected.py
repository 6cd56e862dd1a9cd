"""The garbage collector rests for a while and is as before afterwards, also after an error."""

import gc
import subprocess
import sys

import pytest

from advisor.uncollected import collecting, uncollected


@pytest.mark.parametrize("before", [True, False])
def test_the_collector_is_as_before(before):
    (gc.enable if before else gc.disable)()
    try:
        with uncollected():
            assert not gc.isenabled()
        assert gc.isenabled() is before
        with pytest.raises(ValueError, match="broken"), uncollected():
            raise ValueError("broken")
        assert gc.isenabled() is before
    finally:
        gc.enable()


def test_collecting_begins_once_and_spares_what_is_there():
    gc.disable()
    try:
        collecting()
        frozen = gc.get_freeze_count()
        assert gc.isenabled()
        assert frozen > 1000
        collecting()
        assert gc.get_freeze_count() == frozen
    finally:
        gc.unfreeze()
        gc.enable()


def test_the_command_line_begins_without_and_trains_with_the_collector(tmp_path):
    code = """
import gc, sys
sys.argv = ["advisor", "--version"]
from advisor.cli import main
main._leave = lambda code: print("collects" if gc.isenabled() else "rests")
main.run()
from advisor.execution.training import fine_tune
try:
    fine_tune(None, (), None, None)
except Exception:
    print("collects" if gc.isenabled() else "rests")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-2:] == ["rests", "collects"]
