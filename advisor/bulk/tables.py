"""Tables as files: CSV, also compressed by gzip, with a header line."""

import csv
import gzip
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from advisor.errors import AdvisorError
from advisor.progress import Progress
from advisor.writing import write_bytes

from .predicting import ADDED, Line, predict_rows

NEEDED = ("device",)
_NETWORK = ("arch", "model")
_FURTHER = "unit, threads, runtime, precision, batch, input, metric, params_m, macs_g"


def read_table(
    path: Path, needed: Sequence[str] = NEEDED, network: Sequence[str] = _NETWORK, further: str = _FURTHER
) -> list[dict[str, str]]:
    """Read the rows of a table; cells that a short row lacks are empty.

    All columns of `needed` and one of `network` must be there; `further` names what else is understood.
    """
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8-sig")
    except OSError as error:
        raise AdvisorError(
            f"the table cannot be read: {error.strerror or error}", where=str(path), remedy="Name a CSV file."
        ) from error
    except (UnicodeDecodeError, EOFError) as error:
        raise AdvisorError(
            "the table is not text in UTF-8", where=str(path), remedy="Save it as CSV, UTF-8."
        ) from error
    reader = csv.DictReader(io.StringIO(text, newline=""))
    names = [name.strip() for name in reader.fieldnames or ()]
    missing = [name for name in needed if name not in names]
    if missing or not any(name in names for name in network):
        raise AdvisorError(
            f"the table needs the columns {', '.join(needed)} and model (or arch)",
            where=f"{path}: {', '.join(names) or 'no header'}", remedy=f"Further columns: {further}.",
        )  # fmt: skip
    reader.fieldnames = names
    try:
        return [{name: (row.get(name) or "").strip() for name in names} for row in reader]
    except csv.Error as error:
        raise AdvisorError(
            f"not a CSV table: {error}", where=f"{path}: line {reader.line_num}", remedy="Save it as CSV, UTF-8."
        ) from error


def write_table(path: Path, lines: Sequence[Line]) -> None:
    """Write the rows with their predictions; complete or not at all."""
    write_rows(path, [line.row for line in lines], [line.added for line in lines], ADDED)


def write_rows(
    path: Path, rows: Sequence[Mapping[str, str]], added: Sequence[Mapping[str, str]], columns: Sequence[str]
) -> None:
    """Write rows with new columns behind their own; complete or not at all."""
    text = io.StringIO()
    names = [name for name in (rows[0] if rows else {}) if name not in columns]
    writer = csv.DictWriter(text, [*names, *columns], lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows({**row, **new} for row, new in zip(rows, added, strict=True))
    content = text.getvalue().encode()
    write_bytes(path, gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)


def predict_table(
    table: Path | str | Sequence[Mapping[str, str]],
    output: Path | str | None = None,
    *,
    progress: Progress | None = None,
) -> list[Line]:
    """Predict every row of a table: a CSV file or rows as mappings of column to text; `output` is written as CSV.

    See `predict_rows` for the columns. A row that has no answer has `mid` None and says `why`.
    """
    rows = read_table(Path(table)) if isinstance(table, (str, Path)) else table
    lines = predict_rows(rows, progress=progress)
    if output is not None:
        write_table(Path(output), lines)
    return lines
