import ctypes
import os
import time

import pytest

from advisor.errors import ModelLoadError
from advisor.loading.apart import FailedApart, apart


def test_what_the_work_returns_comes_back_whole():
    large = os.urandom(3_000_000)
    assert apart(lambda: large, where="x") == large


def test_an_error_of_the_work_comes_back_as_its_first_line():
    def fail() -> bytes:
        raise KeyError("no such node\nmore")

    with pytest.raises(FailedApart, match="no such node"):
        apart(fail, where="x")


def test_a_refusal_comes_back_as_itself():
    def refuse() -> bytes:
        raise ModelLoadError("bad", where="here", remedy="mend")

    with pytest.raises(ModelLoadError) as caught:
        apart(refuse, where="x")
    assert (caught.value.what, caught.value.where, caught.value.remedy) == ("bad", "here", "mend")


def test_a_crash_takes_the_child_alone():
    with pytest.raises(ModelLoadError, match="makes its reader crash"):
        apart(lambda: ctypes.string_at(0), where="x.onnx")


def test_work_without_end_is_cut_off():
    begun = time.monotonic()
    with pytest.raises(ModelLoadError, match=r"takes more than 0.3 s"):
        apart(lambda: time.sleep(60) or b"", where="x", seconds=0.3)
    assert time.monotonic() - begun < 5


def test_memory_is_bounded():
    with pytest.raises(FailedApart, match="memory"):
        apart(lambda: bytes(2**31), where="x", memory=2**28)


def test_nothing_of_the_child_stays():
    def touch() -> bytes:
        os.environ["ADVISOR_APART"] = "1"
        return b"done"

    assert apart(touch, where="x") == b"done"
    assert "ADVISOR_APART" not in os.environ
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
