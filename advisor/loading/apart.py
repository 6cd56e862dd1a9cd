"""Work on hostile bytes in a child process with limits: native readers that crash, hang or swell take the child alone.

The child is forked, so it costs milliseconds and finds all modules imported; it returns bytes, never objects.
"""

import faulthandler
import os
import resource
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from advisor.errors import AdvisorError, ModelLoadError, first_line

_SECONDS = 120.0  # a 2 GB graph takes about 20 s to check and infer
_MEMORY = 8 * 2**30  # bytes above what the process holds already
_DONE, _FAILED, _REFUSED = b"+", b"-", b"!"
_PART = 2**20


class FailedApart(Exception):
    """The work raised an error of its own; the message is its first line."""


def apart(work: Callable[[], bytes], *, where: str, seconds: float = _SECONDS, memory: int = _MEMORY) -> bytes:
    """Return what `work` returns, done in a forked child.

    Raises FailedApart where the work raised, ModelLoadError where it broke a limit, crashed or refused the file itself.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _work(work, writer, seconds, memory)
    os.close(writer)
    try:
        answer = _answer(reader, time.monotonic() + seconds)
    finally:
        os.close(reader)
        os.kill(child, signal.SIGKILL)  # it has answered, or will not
        _, status = os.waitpid(child, 0)
    if answer is None:
        raise _broken(f"takes more than {seconds:g} s to read", where)
    kind, content = answer[:1], answer[1:]
    if kind == _DONE:
        return content
    if kind == _FAILED:
        raise FailedApart(content.decode())
    if kind == _REFUSED:
        what, place, remedy = content.decode().split("\0")
        raise ModelLoadError(what, where=place, remedy=remedy)
    told = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"status {status}"
    raise _broken(f"makes its reader crash ({told})", where)


def _work(work: Callable[[], bytes], writer: int, seconds: float, memory: int) -> None:
    """Do the work in the child and leave without a trace; nothing of the parent's clean-up may run here."""
    try:
        with _limits(seconds, memory):
            answer = _DONE + work()
    except AdvisorError as error:
        answer = _REFUSED + "\0".join((error.what, error.where, error.remedy)).encode()
    except MemoryError:
        answer = _FAILED + b"out of memory"
    except BaseException as error:
        answer = _FAILED + first_line(error).encode(errors="replace")
    try:
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(answer)
    finally:
        os._exit(0)


@contextmanager
def _limits(seconds: float, memory: int) -> Iterator[None]:
    """Bound processor time, address space and core dumps; native libraries may not talk."""
    with open("/proc/self/statm", encoding="ascii") as file:
        held = int(file.read().split()[0]) * resource.getpagesize()
    for what, limit in (
        (resource.RLIMIT_CPU, int(seconds) + 1),
        (resource.RLIMIT_AS, held + memory),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        bound = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(what, (bound, hard))
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    faulthandler.disable()  # a crash is told as an error; a test runner's dump of the stack would go past the pipe
    yield


def _answer(reader: int, until: float) -> bytes | None:
    """Read until the child closes its end; None when the time is up."""
    parts: list[bytes] = []
    while True:
        ready, _, _ = select.select([reader], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            return None
        part = os.read(reader, _PART)
        if not part:
            return b"".join(parts)
        parts.append(part)


def _broken(what: str, where: str) -> ModelLoadError:
    return ModelLoadError(
        f"the file {what}", where=where, remedy="It is damaged or was made to do harm; export the model again."
    )
