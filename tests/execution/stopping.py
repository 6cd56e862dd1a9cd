"""Stopping a run with SIGKILL at a chosen moment, in a process of its own."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def outcome(work: Callable[..., object], *given: object) -> int | None:
    """Call `work`, a function of a module, in a process of its own; return its exit code, negative for a signal."""
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([str(ROOT), *filter(None, sys.path)]))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.execution.nursery"])
    process = context.Process(target=work, args=given)
    process.start()
    process.join()
    return process.exitcode


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
