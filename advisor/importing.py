"""Importing what lies in the working directory, for names like python:MODULE:FUNCTION."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def working_directory_importable() -> Iterator[None]:
    """Let modules in the working directory be imported meanwhile."""
    here = str(Path.cwd())
    sys.path.append(here)  # last, so that nothing installed is hidden by a file that lies there
    try:
        yield
    finally:
        sys.path.remove(here)
