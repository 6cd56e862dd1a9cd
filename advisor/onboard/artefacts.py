"""From what a user names, a file or the folder of a run, to an artefact and the runtime that opens it."""

from pathlib import Path

from advisor.execution.store import RECORD, read_run
from advisor.measurement.bench import Entrant, entrant


def entrants(paths: tuple[Path, ...], runtime: str | None = None) -> tuple[Entrant, ...]:
    """Return what is measured, each under a name of its own."""
    found = [_entrant(path, runtime) for path in paths]
    names = [one.name for one in found]
    return tuple(
        Entrant(str(path), one.file, one.runtime) if names.count(one.name) > 1 else one
        for path, one in zip(paths, found, strict=True)
    )


def _entrant(path: Path, runtime: str | None) -> Entrant:
    """Open a run's shipped file in the runtime that it was made for, unless another is named."""
    if not (path.is_dir() and (path / RECORD).is_file()):
        return entrant(path, runtime)
    record = read_run(path)
    shipped = next(artefact for artefact in record.artefacts if artefact.role == "shipped")
    used = runtime or record.environment.get("runtime")
    return entrant(path / shipped.file, used, f"{path.name} ({shipped.precision})")
