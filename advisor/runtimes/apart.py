"""Running an artefact in a process of its own: what it does to memory, and whether it ends the process."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from advisor.errors import RunError

TIMEOUT_SECONDS = 300
SAFE = frozenset({"onnxruntime", "pytorch"})  # they refuse what they cannot run; other runtimes were seen to crash


class Crashed(RunError):
    """A runtime ended its process."""


def run_apart(path: Path, runtime: str, threads: int) -> dict[str, float]:
    """Open an artefact in a fresh process and run it; return its memory before, `runtime_mb`, and at most, `peak_mb`.

    Raises RunError where that fails, Crashed where the process ends by it.
    """
    try:
        reading: dict[str, float] = json.loads(
            python_apart("advisor.runtimes.apart_process", str(path), runtime, str(threads), threads=threads)
        )
    except Crashed as error:
        remedy = "Choose another runtime or another precision; its makers may want to know."
        raise Crashed(f"{runtime} crashes on the file ({error.what})", where=str(path), remedy=remedy) from error
    except (RunError, ValueError) as error:
        raise RunError(f"the memory probe failed: {error}", where=str(path)) from error
    return reading


def python_apart(module: str, *arguments: str, threads: int = 1) -> str:
    """Run a module of ours in a fresh process; return the last line that it prints."""
    package_root = str(Path(__file__).resolve().parents[2])
    search = os.pathsep.join(part for part in (package_root, os.environ.get("PYTHONPATH", "")) if part)
    command = [sys.executable, "-m", module, *arguments]
    environment = {**os.environ, "PYTHONPATH": search, "OMP_NUM_THREADS": str(threads)}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=True, env=environment
        )
    except subprocess.CalledProcessError as error:
        if error.returncode < 0:
            raise Crashed(signal.Signals(-error.returncode).name) from error
        raise RunError(_last(error.stderr or str(error))) from error
    except (subprocess.SubprocessError, OSError) as error:
        raise RunError(_last(str(error))) from error
    return _last(done.stdout)


def check_survives(path: Path, runtime: str, threads: int = 1) -> None:
    """Raise Crashed where a runtime crashes on an artefact, which would end this process too."""
    if runtime in SAFE:
        return
    try:
        run_apart(path, runtime, threads)
    except Crashed:
        raise
    except RunError:  # opening the artefact here will say why
        return


def _last(said: str) -> str:
    return (said.strip().splitlines() or ["it said nothing"])[-1]
