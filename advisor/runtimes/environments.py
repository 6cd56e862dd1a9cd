"""Environments of their own for converters that want other versions of torch than we have; made on request only.

Each lies in the user's cache folder and is named after what is installed in it. One that was interrupted while it was
made is made anew; a variable may name the Python of an environment that exists already.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from advisor.errors import NotApplicable, RunError
from advisor.progress import Progress, Silent

READY = "ready"
INSTALL_SECONDS = 3600


@dataclass(frozen=True)
class Environment:
    """What is installed, why apart, how much it takes, and the variable that names another Python."""

    name: str
    packages: tuple[str, ...]
    reason: str
    size: str
    variable: str

    @property
    def folder(self) -> Path:
        """Where it lies."""
        from platformdirs import user_cache_path

        python = f"py{sys.version_info.major}{sys.version_info.minor}"
        return user_cache_path("advisor") / "environments" / f"{self.name}-{python}"

    def python(self) -> Path | None:
        """Return its Python, None while it has not been made."""
        if named := os.environ.get(self.variable):
            if not Path(named).is_file():
                raise NotApplicable(f"{self.variable} names no Python", where=named, remedy="Unset it, or correct it.")
            return Path(named)
        return self._own if (self.folder / READY).is_file() and self._own.is_file() else None

    def needed(self) -> Path:
        """Return its Python, or say how to get it."""
        found = self.python()
        if found is None:
            raise NotApplicable(
                f"{self.packages[0]} needs an environment of its own ({self.reason}), which has not been made yet",
                remedy=f"Run 'advisor export' with --install once ({self.size}), or name a Python in {self.variable}.",
            )
        return found

    def make(self, progress: Progress | None = None) -> Path:
        """Make it, if it is not there, with pip as it is set up for this user; whole or not at all."""
        found = self.python()
        if found is not None:
            return found
        progress = progress or Silent()
        with _alone(self.folder):
            if (found := self.python()) is not None:  # made meanwhile by another process
                return found
            shutil.rmtree(self.folder, ignore_errors=True)
            try:
                progress.start(f"make an environment for {self.packages[0]}", 2)
                self._run([sys.executable, "-m", "venv", str(self.folder)])
                progress.advance(note=f"installing {', '.join(self.packages)}: {self.size}")
                self._run([str(self._own), "-m", "pip", "install", "--quiet", *self.packages])
                progress.advance()
                (self.folder / READY).write_text("\n".join(self.packages) + "\n", encoding="utf-8")
            except BaseException:
                shutil.rmtree(self.folder, ignore_errors=True)
                raise
            finally:
                progress.finish()
        return self._own

    @property
    def _own(self) -> Path:
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def _run(self, command: list[str]) -> None:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        try:
            subprocess.run(
                command, capture_output=True, text=True, check=True, timeout=INSTALL_SECONDS, env=environment
            )
        except (OSError, subprocess.SubprocessError) as error:
            lines = [line for line in (getattr(error, "stderr", "") or str(error)).splitlines() if line.strip()]
            raise RunError(
                f"the environment for {self.packages[0]} could not be made: {lines[-1][:200] if lines else error}",
                where=str(self.folder),
                remedy=f"See whether 'pip install {' '.join(self.packages)}' works in a fresh environment.",
            ) from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes from making the same environment meanwhile."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{folder.name}.lock").open("w") as lock:
        if os.name != "nt":
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
