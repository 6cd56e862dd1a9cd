"""From what a user names, a file or the folder of a run, to an artefact and the runtime that opens it."""

from pathlib import Path

from advisor.execution.store import RECORD, read_run
from advisor.measurement.bench import Entrant, entrant


def entrants(paths: tuple[Path, ...], runtime: str | None = None) -> tuple[Entrant, ...]:
    """Return what is measured, each under a name of its own; of a run that stands alone, the original as well."""
    if len(paths) == 1 and _is_run(paths[0]):
        return tuple(_of_run(paths[0], role, runtime) for role in ("baseline", "shipped"))
    found = [_of_run(path, "shipped", runtime) if _is_run(path) else entrant(path, runtime) for path in paths]
    names = [one.name for one in found]
    return tuple(
        Entrant(str(path), one.file, one.runtime) if names.count(one.name) > 1 else one
        for path, one in zip(paths, found, strict=True)
    )


def _is_run(path: Path) -> bool:
    return path.is_dir() and (path / RECORD).is_file()


def _of_run(path: Path, role: str, runtime: str | None) -> Entrant:
    """Open a file of a run in the runtime that it was made for, unless another is named."""
    record = read_run(path)
    file = next(artefact for artefact in record.artefacts if artefact.role == role)
    used = runtime or record.environment.get("runtime")
    kind = f"original, {file.precision}" if role == "baseline" else file.precision
    return entrant(path / file.file, used, f"{path.name} ({kind})")
