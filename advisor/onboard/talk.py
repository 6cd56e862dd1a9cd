"""Speaking with `board/receive.py` over a command's standard input and output, wherever the command leads."""

import contextlib
import json
import logging
import re
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread
from typing import Any

from advisor.errors import AdvisorError, RunError
from advisor.progress import Progress

PROGRAM = Path(__file__).parent / "board" / "receive.py"
log = logging.getLogger(__name__)

CHUNK = 1 << 16
ENDING_SECONDS = 2
GOODBYE_SECONDS = 20  # for the board to stop and tidy up
_ROUND = re.compile(r"round (\d+) of (\d+)")
_START = (
    "import sys;sys.version_info<(3,8) and sys.exit('the board has Python '+sys.version.split()[0]+', needed is 3.8');"
    "exec(compile(sys.stdin.buffer.read(int(sys.argv[1])),'receive.py','exec'))"
)

Explain = Callable[[int, str], AdvisorError]  # exit status and standard error of the command -> what went wrong


@dataclass
class _Heard:
    """What the other end said."""

    results: Any = None
    failure: str = ""
    done: bool = False
    removed: bool = True
    folder: str = ""
    errors: list[str] = field(default_factory=list)


def remote_command(python: str) -> tuple[str, ...]:
    """Return what runs on the board."""
    return (python, "-c", _START, str(PROGRAM.stat().st_size))


def talk(
    command: Sequence[str],
    kit: Path,
    arguments: Sequence[str],
    *,
    install: bool,
    timeout: float,
    explain: Explain,
    progress: Progress,
    place: str,
) -> Any:
    """Send the kit, watch it being measured, and return the results as they came.

    On any end of this function, by Ctrl-C as well, standard input is closed, upon which the other end stops and
    removes its folder; `timeout` is in seconds and holds for the whole.
    """
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    heard, lines, enough = _Heard(), Queue[bytes | None](), Event()
    order = {"bytes": kit.stat().st_size, "install": install, "arguments": list(arguments)}
    head = PROGRAM.read_bytes() + json.dumps(order).encode() + b"\n"
    sender = Thread(target=_send, args=(process.stdin, head, kit, progress, enough), daemon=True)
    threads = (
        Thread(target=_read, args=(process.stdout, lines), daemon=True),
        Thread(target=lambda: heard.errors.extend(_text(raw) for raw in process.stderr or ()), daemon=True),
        sender,
    )
    progress.start(f"copy the kit to {place}", kit.stat().st_size)
    try:
        for thread in threads:
            thread.start()
        _listen(lines, heard, time.monotonic() + timeout, timeout, progress, place)
    finally:
        _part(process, sender, enough)
        progress.finish()
    threads[1].join(1)  # standard error has ended with the command
    if not heard.done:
        raise explain(process.returncode or 0, "\n".join(heard.errors))
    if not heard.removed:
        log.warning("the folder %s could not be removed from %s", heard.folder, place)
    if heard.failure:
        needs = "no runtime" in heard.failure and not install
        remedy = "Give --install to put one into the folder that is removed afterwards." if needs else ""
        raise RunError(f"the board could not measure: {heard.failure}", where=place, remedy=remedy)
    return heard.results


def _read(stream: Any, lines: "Queue[bytes | None]") -> None:
    for raw in stream:
        lines.put(raw)
    lines.put(None)


def _send(stream: Any, head: bytes, kit: Path, progress: Progress, enough: Event) -> None:
    """Write program, order and kit, and leave the stream open."""
    try:
        stream.write(head)
        with kit.open("rb") as file:
            while not enough.is_set() and (part := file.read(CHUNK)):
                stream.write(part)
                progress.advance(len(part))
        stream.flush()
    except (OSError, ValueError):
        return  # the other end is gone or we are; whoever reads its answers says why


def _listen(
    lines: "Queue[bytes | None]", heard: _Heard, deadline: float, timeout: float, progress: Progress, place: str
) -> None:
    """Take answers in until the other end is done or gone."""
    while not heard.done:
        try:
            raw = lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            raise RunError(
                f"the board did not finish within {timeout:.0f} s",
                where=place,
                remedy="Give it more with --timeout 1h.",
            ) from None
        if raw is None:
            return
        _take(raw, heard, progress, place)


def _take(raw: bytes, heard: _Heard, progress: Progress, place: str) -> None:
    """Understand one line; what a login script prints is passed over."""
    text = _text(raw)
    if not text.startswith("advisor:"):
        return
    try:
        said = json.loads(text.removeprefix("advisor:"))
    except ValueError:
        return
    heard.folder = said.get("folder", heard.folder)
    if "stage" in said and said["stage"] != "receive":
        progress.start(f"{said['stage']} on {place}", None)
    if found := _ROUND.fullmatch(said.get("line", "")):
        if found[1] == "1":
            progress.start(f"measure on {place}", int(found[2]))
        progress.advance()
    elif "line" in said:
        progress.advance(0, note=said["line"][:40])
    heard.results = said.get("results", heard.results)
    if said.get("done"):
        heard.done, heard.failure, heard.removed = True, said["failure"], said["removed"]


def _part(process: "subprocess.Popen[bytes]", sender: Thread, enough: Event) -> None:
    """Close standard input, wait for the other end to tidy up, and end the command if it does not.

    A sender stops between two pieces of the kit. One that waits for the other end holds the stream; then the command
    ends first, which ends the stream on the board as well.
    """
    enough.set()
    sender.join(ENDING_SECONDS)
    if sender.is_alive():
        process.terminate()
        sender.join(GOODBYE_SECONDS)
    if process.stdin is not None:
        with contextlib.suppress(OSError):  # what was still to be written is lost with the other end
            process.stdin.close()
    try:
        process.wait(GOODBYE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").rstrip("\r\n")
