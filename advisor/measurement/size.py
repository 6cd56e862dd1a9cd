"""Size of an artefact, read from the file that ships, never from parameter counts."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from advisor.schema import Artefact, Measurement, Metric


def file_mb(path: Path) -> float:
    """Return the file's size in 1e6 bytes."""
    return path.stat().st_size / 1e6


def sha256(path: Path) -> str:
    """Return the digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def artefact(path: Path, root: Path, role: str, precision: str = "fp32") -> Artefact:
    """Describe a file of a run directory."""
    return Artefact(
        role=role,
        file=path.relative_to(root).as_posix(),
        format=path.suffix.lstrip("."),
        bytes=path.stat().st_size,
        sha256=sha256(path),
        precision=precision,
    )


def size_measurement(
    shipped: Path | Sequence[Path], baseline: Path | Sequence[Path] | None, runtime: str, machine: str
) -> Measurement:
    """Return the record of the size of what ships: one file, or all that belong together."""
    size = _together_mb(shipped)
    return Measurement(
        metric=Metric.SIZE,
        value=size,
        low=size,
        high=size,
        n=1,
        method="bytes of the shipped file",
        machine=machine,
        runtime=runtime,
        baseline_value=_together_mb(baseline) if baseline else None,
    )


def _together_mb(files: Path | Sequence[Path]) -> float:
    return file_mb(files) if isinstance(files, Path) else sum(map(file_mb, files))
