"""Stopping a run with SIGKILL at a chosen moment, in a child process that shares what this one has loaded."""

import os
import signal
import traceback
from collections.abc import Callable


def outcome(work: Callable[[], object]) -> int:
    """Do `work` in a child process; return its exit code, negative for the signal that ended it."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def kill_self() -> None:
    """End this process at once; nothing is cleaned up."""
    os.kill(os.getpid(), signal.SIGKILL)


def killing_writes(number: int, when: str, counts: Callable[[str], bool]) -> None:
    """From now on, die right before or after the `number`-th time that a file which `counts` gets its name."""
    real, seen = os.replace, []

    def replace(source: object, target: object, **more: object) -> None:
        if not counts(str(target)):
            return real(source, target, **more)
        seen.append(target)
        if len(seen) == number and when == "before":
            kill_self()
        real(source, target, **more)
        if len(seen) == number and when == "after":
            kill_self()
        return None

    os.replace = replace
