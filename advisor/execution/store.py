"""Run directories: what may become one, writing the record, reading back with every file checked."""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from advisor.errors import RunError
from advisor.measurement.size import sha256
from advisor.schema import RunRecord
from advisor.writing import write_text

RECORD = "run.json"


def check_free(out: Path) -> None:
    """Refuse an output directory that holds something else than a run."""
    if out.exists() and not out.is_dir():
        raise RunError(f"{out} is a file", remedy="Name another folder with --out.")
    if out.is_dir() and any(out.iterdir()) and not (out / RECORD).is_file():
        raise RunError(f"{out} is not empty and no run of advisor", remedy="Name another folder with --out.")


def write_record(record: RunRecord, folder: Path) -> None:
    """Write run.json, whole or not at all."""
    write_text(folder / RECORD, record.model_dump_json(indent=1) + "\n")


def read_run(folder: Path) -> RunRecord:
    """Read run.json and check that every artefact is there unchanged."""
    record = read_record(folder)
    for artefact in record.artefacts:
        path = folder / artefact.file
        if Path(artefact.file).is_absolute() or ".." in Path(artefact.file).parts:
            raise RunError(f"run.json names a file outside the run: {artefact.file}", where=str(folder))
        if not path.is_file():
            raise RunError(f"{artefact.file} is missing", where=str(folder), remedy="Apply the plan again.")
        if sha256(path) != artefact.sha256:
            raise RunError(
                f"{artefact.file} is damaged: it is not the file that the run recorded",
                where=str(folder),
                remedy="Apply the plan again, or restore the file.",
            )
    return record


def read_record(folder: Path) -> RunRecord:
    """Read run.json alone."""
    path = folder / RECORD
    if not path.is_file():
        raise RunError(f"no {RECORD} in {folder}", remedy="Give the folder that 'apply' wrote.")
    import advisor.techniques  # noqa: F401  (registers the steps that a stored plan names)

    try:
        fields: Any = json.loads(path.read_text(encoding="utf-8"))
        return RunRecord.model_validate(fields)
    except (ValueError, ValidationError, UnicodeDecodeError) as error:
        first = str(error).splitlines()[0]
        raise RunError(f"{RECORD} cannot be read: {first}", where=str(path), remedy="Apply the plan again.") from error
