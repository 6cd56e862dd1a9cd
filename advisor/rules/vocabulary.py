"""The vocabulary that rules speak: every fact with type, unit and legal values, read from `knowledge/facts.yaml`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from advisor.errors import KnowledgeError, nearest
from advisor.resources import data_dir

from .yaml_reader import read_mapping

FactType = Literal["bool", "number", "string", "set"]
Origin = Literal["derived", "asked"]
PER_CANDIDATE = ("rt.", "plan.")  # these differ from candidate to candidate; the others hold for the whole case
_FIELDS = {"type", "unit", "range", "values", "about", "from", "how"}


@dataclass(frozen=True)
class FactSpec:
    """One fact: `values` closes a string or the elements of a set, `bounds` a number; both ends included."""

    name: str
    type: FactType
    about: str
    origin: Origin
    unit: str = ""
    values: tuple[str, ...] = ()
    bounds: tuple[float, float] | None = None
    how: str = ""  # what it is computed from, or where the user finds it

    def complaint(self, value: Any) -> str:
        """Say why `value` cannot be this fact, or return an empty string."""
        if self.type == "bool":
            return "" if isinstance(value, bool) else f"{value!r} is not true or false"
        if self.type == "number":
            if isinstance(value, bool) or not isinstance(value, int | float):
                return f"{value!r} is not a number"
            if self.bounds and not self.bounds[0] <= value <= self.bounds[1]:
                return f"{value} is outside {self.bounds[0]:g} to {self.bounds[1]:g}"
            return ""
        if self.type == "string":
            return self._element(value)
        if isinstance(value, str) or not isinstance(value, list | tuple | set | frozenset):
            return f"{value!r} is not a set; write a list"
        return next((problem for item in value if (problem := self._element(item))), "")

    def _element(self, value: Any) -> str:
        if not isinstance(value, str):
            return f"{value!r} is not text; quote it"
        if self.values and value not in self.values:
            return f"{value!r} is not one of {', '.join(self.values)}. {nearest(value, self.values)}".rstrip()
        return ""


@dataclass(frozen=True)
class Vocabulary(Mapping[str, FactSpec]):
    """All facts by name."""

    facts: Mapping[str, FactSpec]

    def __getitem__(self, name: str) -> FactSpec:
        return self.facts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.facts)

    def __len__(self) -> int:
        return len(self.facts)

    def complaints(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """List what is wrong with a set of facts: unknown names and values of the wrong kind; None means unknown."""
        found = []
        for name, value in values.items():
            if name not in self.facts:
                found.append(f"unknown fact {name!r}. {nearest(name, self.facts)}".rstrip())
            elif value is not None and (problem := self.facts[name].complaint(value)):
                found.append(f"{name}: {problem}")
        return tuple(found)


def load_vocabulary(path: Path | None = None) -> Vocabulary:
    """Read the vocabulary; without a path the shipped one, which is read once."""
    return _shipped() if path is None else _read(path)


@cache
def _shipped() -> Vocabulary:
    return _read(data_dir("knowledge") / "facts.yaml")


def _read(path: Path) -> Vocabulary:
    return Vocabulary({name: _spec(name, entry, path) for name, entry in read_mapping(path).items()})


def _spec(name: str, entry: Any, path: Path) -> FactSpec:
    where = f"{path.name}, fact {name}"
    if not isinstance(entry, dict) or not {"type", "about", "from"} <= set(entry):
        raise KnowledgeError(f"fact {name!r} lacks type, about or from", where=where)
    if extra := sorted(set(entry) - _FIELDS):
        raise KnowledgeError(f"unknown field {extra[0]!r}", where=where, remedy=nearest(extra[0], _FIELDS))
    if entry["type"] not in get_args(FactType) or entry["from"] not in get_args(Origin):
        raise KnowledgeError(f"type {entry['type']!r} or from {entry['from']!r} is not known", where=where)
    bounds = entry.get("range")
    return FactSpec(
        name=name,
        type=entry["type"],
        about=str(entry["about"]),
        origin=entry["from"],
        unit=str(entry.get("unit", "")),
        how=str(entry.get("how", "")),
        values=tuple(str(v) for v in entry.get("values", ())),
        bounds=(float(bounds[0]), float(bounds[1])) if bounds else None,
    )
