"""`extends`: a profile says only what differs from another one; the rest comes from its parents by a deep merge."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advisor.errors import DeviceError, nearest

from .yamlfile import read_mapping

_OWN = ("id", "name", "aliases", "abstract", "extends", "confidence")  # never inherited


@dataclass(frozen=True)
class Resolved:
    """A profile with its parents merged in; `chain` runs from the file itself to its root."""

    data: dict[str, Any]
    chain: tuple[Path, ...]


def deep_merge(parent: Mapping[str, Any], child: Mapping[str, Any]) -> dict[str, Any]:
    """Lay `child` over `parent`: mappings merge, null removes, everything else replaces.

    A figure (a mapping with `value`) replaces the parent's figure as a whole, so that a value never keeps the source
    of the one it displaced.
    """
    merged = dict(parent)
    for key, value in child.items():
        below = merged.get(key)
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(below, Mapping) and "value" not in value:
            merged[key] = deep_merge(below, value)
        else:
            merged[key] = value
    return merged


def resolve(path: Path, index: Mapping[str, Path]) -> Resolved:
    """Read a profile and all it extends; `index` maps ids to files."""
    chain: list[Path] = []
    documents: list[dict[str, Any]] = []
    current: Path | None = path
    while current is not None:
        if current in chain:
            loop = " extends ".join(p.stem for p in (*chain, current))
            raise DeviceError("profiles extend each other in a circle", where=f"{path}: {loop}")
        document = read_mapping(current)
        chain.append(current)
        documents.append(document)
        current = _parent(document, current, index)
    data: dict[str, Any] = {}
    for document in reversed(documents):
        data = deep_merge({k: v for k, v in data.items() if k not in _OWN}, document)
    return Resolved(data, tuple(chain))


def _parent(document: Mapping[str, Any], path: Path, index: Mapping[str, Path]) -> Path | None:
    name = document.get("extends")
    if name is None:
        return None
    if not isinstance(name, str) or (name not in index and not (path.parent / f"{name}.yaml").is_file()):
        raise DeviceError(
            f"the parent {name!r} does not exist",
            where=f"{path}: extends",
            remedy=nearest(str(name), index) or "Name a device of `advisor devices list`.",
        )
    sibling = path.parent / f"{name}.yaml"
    return index[name] if name in index and index[name] != path else sibling
