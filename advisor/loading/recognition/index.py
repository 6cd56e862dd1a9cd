"""The index of known architectures: one group for all whose weights have the same names and shapes."""

import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from advisor.resources import data_dir

from .fingerprint import SKETCH_BYTES
from .layout import Layout

FILE = "architectures.json"


class Group(NamedTuple):
    """Architectures with identical weights; sums as `fingerprint.short` writes them, `classes` as published."""

    names: str  # separated by blanks
    layout: int
    classes: int
    entries: int
    parameters: int
    exact: str
    body: str  # without heads, stems and positions
    positions: str
    entry_names: str
    shapes: str
    shapes_body: str  # the shapes without heads and stems
    sketch: str
    shape_sketch: str


@dataclass(frozen=True)
class Index:
    """The groups and what they are looked up by."""

    versions: dict[str, str]
    layouts: tuple[Layout, ...]
    groups: tuple[Group, ...]

    @cached_property
    def exact(self) -> dict[str, list[Group]]:
        """Groups by all entries."""
        return self._by("exact")

    @cached_property
    def bodies(self) -> dict[tuple[int, str], list[Group]]:
        """Groups by layout and body."""
        found: dict[tuple[int, str], list[Group]] = {}
        for group in self.groups:
            found.setdefault((group.layout, group.body), []).append(group)
        return found

    @cached_property
    def shapes(self) -> dict[str, list[Group]]:
        """Groups by the shapes alone."""
        return self._by("shapes")

    @cached_property
    def shapes_bodies(self) -> dict[str, list[Group]]:
        """Groups by the shapes of all but heads and stems."""
        return self._by("shapes_body")

    @cached_property
    def by_name(self) -> dict[str, list[Group]]:
        """Groups by architecture; one that has optional parts is in several."""
        found: dict[str, list[Group]] = {}
        for group in self.groups:
            for name in group.names.split():
                found.setdefault(name, []).append(group)
        return found

    @cached_property
    def sketches(self) -> tuple[tuple[frozenset[int], frozenset[int]], ...]:
        """The sketches of entries and of shapes, in the order of the groups."""
        return tuple((_read_sketch(group.sketch), _read_sketch(group.shape_sketch)) for group in self.groups)

    def _by(self, field: str) -> dict[str, list[Group]]:
        found: dict[str, list[Group]] = {}
        for group in self.groups:
            found.setdefault(getattr(group, field), []).append(group)
        return found


@lru_cache(maxsize=1)
def read_index() -> Index:
    """Read the shipped index once."""
    return parse_index(index_path().read_text(encoding="utf-8"))


def index_path() -> Path:
    """Return where the index lies."""
    return data_dir("knowledge") / FILE


def parse_index(text: str) -> Index:
    """Read an index from its text."""
    stored = json.loads(text)
    return Index(
        versions=stored["versions"],
        layouts=tuple(map(Layout.parse, stored["layouts"])),
        groups=tuple(map(Group._make, stored["groups"])),
    )


def dump_index(index: Index) -> str:
    """Write an index with one line for every layout and group, so that changes read well."""
    layouts = _lines([layout.dump() for layout in index.layouts])
    groups = _lines([list(group) for group in index.groups])
    return f'{{"versions": {json.dumps(index.versions)},\n"layouts": [\n{layouts}\n],\n"groups": [\n{groups}\n]}}\n'


def _lines(rows: list[list[Any]]) -> str:
    return ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)


def _read_sketch(text: str) -> frozenset[int]:
    data = urlsafe_b64decode(text)
    return frozenset(int.from_bytes(data[i : i + SKETCH_BYTES], "big") for i in range(0, len(data), SKETCH_BYTES))
