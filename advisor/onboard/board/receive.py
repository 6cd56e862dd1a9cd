"""The other end of `advisor verify --on`: comes over standard input, measures in a folder of its own, and tidies up.

Standard input holds this program, a line of JSON that says what to do, and the kit; then it stays open. When it ends,
whoever asked is gone: the measurement is stopped and the folder removed. Every line that begins with 'advisor:' is an
answer. Needs Python 3.8 and nothing else. Part of advisor, Apache License 2.0.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import zipfile
from typing import Any

PACKAGES = {"onnx": "onnxruntime", "tflite": "ai-edge-litert", "param": "ncnn"}
PLACE = "packages"  # where --install puts a runtime
SPARE = 4  # times the size of the kit that must be free
_children: list[subprocess.Popen[bytes]] = []
_gone = threading.Event()


def say(**fields: Any) -> None:
    """Answer with a line of JSON."""
    sys.stdout.write("advisor:" + json.dumps(fields) + "\n")
    sys.stdout.flush()


class Failed(Exception):
    """What went wrong, in words."""


def stop(*_: Any) -> None:
    """Stop what runs; the folder is removed on the way out."""
    _gone.set()
    for child in _children:
        if child.poll() is None:
            with contextlib.suppress(OSError):  # it ended by itself
                os.killpg(child.pid, signal.SIGKILL)


def interrupted(*_: Any) -> None:
    """Stop at a signal."""
    stop()
    raise Failed("stopped by a signal")


def watch() -> None:
    """Stop when standard input ends."""
    while os.read(0, 4096):
        pass
    stop()


def run(command: list[str], folder: str, environment: dict[str, str], tell: bool = True) -> tuple[int, str]:
    """Run a program, pass its lines on, and return its exit status and its last lines."""
    child = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    _children.append(child)
    if _gone.is_set():
        stop()
    last: list[str] = []
    for raw in child.stdout or ():
        line = raw.decode("utf-8", "replace").rstrip()
        last = [*last[-9:], line]
        if tell:
            say(line=line)
    status = child.wait()
    if _gone.is_set():
        raise Failed("stopped: whoever asked is gone")
    return status, "\n".join(last)


def unpack(size: int, folder: str) -> str:
    """Read the kit and return the folder that it unpacks to."""
    if shutil.disk_usage(folder).free < SPARE * size:
        raise Failed(f"{folder} has less than {SPARE * size // 10**6} MB free")
    path = os.path.join(folder, "kit.zip")
    with open(path, "wb") as file:
        while size:
            part = sys.stdin.buffer.read(min(size, 1 << 16))
            if not part:
                raise Failed("the kit broke off")
            file.write(part)
            size -= len(part)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
        return os.path.join(folder, archive.namelist()[0].split("/")[0])


def install(kit: str, folder: str, environment: dict[str, str]) -> None:
    """Install a runtime into the folder that is removed afterwards."""
    with open(os.path.join(kit, "kit.json")) as file:
        formats = {one["format"] for one in json.load(file)["artefacts"]}
    wanted = sorted({PACKAGES[one] for one in formats if one in PACKAGES})
    if not wanted:
        raise Failed(f"no Python package runs .{', .'.join(sorted(formats))} files")
    say(stage="install " + ", ".join(wanted))
    command = [sys.executable, "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    status, said = run([*command, "--target", os.path.join(folder, PLACE), *wanted], folder, environment)
    if status:
        raise Failed(f"pip cannot install {', '.join(wanted)}: {said.splitlines()[-1] if said else status}")


def work(order: dict[str, Any], folder: str) -> None:
    """Measure the kit in the folder, and answer with the results."""
    kit = unpack(order["bytes"], folder)
    threading.Thread(target=watch, daemon=True).start()
    search = [os.path.join(folder, PLACE), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(search), TMPDIR=folder, PYTHONUNBUFFERED="1")
    command = [sys.executable, os.path.join(kit, "measure.py"), *order["arguments"]]
    status, said = run([*command, "--which"], kit, environment, tell=False)
    if status:
        if "no runtime" not in said or not order["install"]:
            raise Failed(said.splitlines()[-1].replace("error: ", "", 1) if said else "measure.py failed")
        install(kit, folder, environment)
    say(stage="measure")
    status, said = run(command, kit, environment)
    if status:
        raise Failed(said.splitlines()[-1].replace("error: ", "", 1) if said else f"measure.py ended with {status}")
    with open(os.path.join(kit, "results.json")) as file:
        say(results=json.load(file))


def main() -> None:
    """Do what the line of JSON says, in a folder that is gone afterwards."""
    for name in ("SIGTERM", "SIGHUP", "SIGINT"):
        signal.signal(getattr(signal, name), interrupted)
    order = json.loads(sys.stdin.buffer.readline())
    folder = tempfile.mkdtemp(prefix="advisor-")
    failure = ""
    try:
        say(stage="receive", folder=folder, python=platform.python_version(), arch=platform.machine())
        work(order, folder)
    except Failed as error:
        failure = str(error)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        failure = f"{type(error).__name__}: {error}"
    finally:
        stop()
        shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):  # nobody may be listening any more
        say(done=True, failure=failure, removed=not os.path.exists(folder))
    # The thread that watches standard input holds its lock; an ordinary exit would wait for it.
    os._exit(1 if failure else 0)


main()
