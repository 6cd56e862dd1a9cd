"""Lists of images: CSV, TSV or JSON Lines with the columns path, label and split; nothing is decoded here."""

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advisor.errors import DataError, nearest

from ..items import Item, Listing, class_names, part_named
from .files import Files, read_classes

SUFFIXES = frozenset({".csv", ".tsv", ".jsonl", ".ndjson"})
MOST_BYTES = 2**30  # of a list; ten million lines have some 500 MB
_COLUMNS = {
    "path": ("path", "file", "filename", "file_name", "image"),
    "label": ("label", "class", "target", "category"),
    "split": ("split", "part", "subset", "set"),
}
_FORM = "Write lines of path,label[,split] below a line with these names; paths are relative to the list."


@dataclass(frozen=True)
class _Row:
    line: int
    path: str
    label: str
    split: str


def list_file(path: Path) -> Listing:
    """Read a list of images; labels are names or class indices, an empty one means none."""
    rows = list(_rows(path))
    if not rows:
        raise DataError("the list has no images", where=str(path), remedy=_FORM)
    listed = read_classes(path.parent)
    classes, index = _classes({row.label for row in rows if row.label}, listed, path)
    source = Files(path.parent)
    parts: dict[str, list[Item]] = {}
    for row in rows:
        part = part_named(row.split, f"{path}, line {row.line}") if row.split else ""
        parts.setdefault(part, []).append(Item(row.path, index[row.label] if row.label else -1, source=source))
    loose = tuple(parts.pop("", ()))
    return Listing(str(path), classes, {part: tuple(items) for part, items in parts.items()}, loose, form="list")


def _classes(labels: set[str], listed: tuple[str, ...], path: Path) -> tuple[tuple[str, ...], dict[str, int]]:
    """Return class names and the index of every label; labels that are all numbers are indices already."""
    if labels and not labels <= set(listed) and all(label.isascii() and label.isdecimal() for label in labels):
        most = max(int(label) for label in labels)
        if most >= 1_000_000:
            raise DataError(f"the class index {most} is too large", where=str(path), remedy="Count classes from 0.")
        if listed and most >= len(listed):
            raise DataError(
                f"classes.txt names {len(listed)} classes, a label is {most}", where=str(path), remedy=_FORM
            )
        return listed or tuple(str(i) for i in range(most + 1)), {label: int(label) for label in labels}
    classes = class_names(labels, listed, str(path))
    return classes, {name: i for i, name in enumerate(classes)}


def _rows(path: Path) -> Iterator[_Row]:
    if not path.is_file():
        raise DataError(f"{path} is not a file", remedy=_FORM)
    if path.stat().st_size > MOST_BYTES:
        raise DataError("the list is over 1 GiB", where=str(path), remedy="Divide it.")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = _json_lines(file, path) if path.suffix.lower() in (".jsonl", ".ndjson") else _csv_lines(file, path)
            for number, fields in lines:
                yield _row(fields, number, path)
    except UnicodeDecodeError as error:
        raise DataError("the list is not UTF-8 text", where=str(path), remedy=_FORM) from error
    except (OSError, csv.Error) as error:
        raise DataError(f"the list cannot be read: {error}", where=str(path), remedy=_FORM) from error


def _csv_lines(file: Any, path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",", strict=True)
    names = [name.strip().lower() for name in reader.fieldnames or ()]
    columns = {column: next((n for n in names if n in words), None) for column, words in _COLUMNS.items()}
    if columns["path"] is None:
        hint = next((h for n in names if (h := nearest(n, _COLUMNS["path"]))), "")
        raise DataError(
            f"no column 'path' among {', '.join(names[:5]) or 'nothing'}", where=str(path), remedy=hint or _FORM
        )
    reader.fieldnames = names
    for fields in reader:
        if None in fields:
            raise DataError(
                "a line has more fields than the first", where=f"{path}, line {reader.line_num}", remedy=_FORM
            )
        yield reader.line_num, fields


def _json_lines(file: Any, path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError("a line is no JSON", where=where, remedy='Write {"path": ..., "label": ...}.') from error
        if not isinstance(fields, dict):
            raise DataError("a line is no JSON object", where=where, remedy='Write {"path": ..., "label": ...}.')
        yield number, {str(name).strip().lower(): value for name, value in fields.items()}


def _row(fields: Mapping[str, Any], number: int, path: Path) -> _Row:
    found = {column: next((fields[n] for n in words if n in fields), None) for column, words in _COLUMNS.items()}
    for column, value in found.items():
        if isinstance(value, bool) or not (value is None or isinstance(value, str | int)):
            raise DataError(
                f"{column} is neither a text nor a whole number", where=f"{path}, line {number}", remedy=_FORM
            )
    texts = {column: "" if value is None else str(value).strip() for column, value in found.items()}
    name = texts["path"]
    if not name or "\0" in name:
        raise DataError("a line names no path", where=f"{path}, line {number}", remedy=_FORM)
    return _Row(number, Path(name).as_posix(), texts["label"], texts["split"])
