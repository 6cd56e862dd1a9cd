"""What a condition in words calls a fact and its values, read from `knowledge/phrases.yaml`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from advisor.errors import KnowledgeError, nearest
from advisor.resources import data_dir

from .vocabulary import FactSpec
from .yaml_reader import read_mapping

_PLACES = ("is", "is_not", "has", "lacks")
_FIELDS = {"as", "if_true", "if_false", "values", "percent", *_PLACES}


@dataclass(frozen=True)
class Phrase:
    """The words for one fact. `name` stands for its value; the forms `being` to `lacking` hold a place for values."""

    name: str
    if_true: str
    if_false: str
    being: str
    not_being: str
    having: str
    lacking: str
    values: Mapping[str, str] = field(default_factory=dict)
    percent: bool = False
    unit: str = ""


Phrases = Mapping[str, Phrase]


def load_phrases(vocabulary: Mapping[str, FactSpec], path: Path | None = None) -> Phrases:
    """Return the words for every fact of the vocabulary; one without an entry speaks by its name and meaning."""
    file = path or data_dir("knowledge") / "phrases.yaml"
    entries = read_mapping(file)
    return {name: _phrase(spec, _checked(entries.get(name, {}), name, file)) for name, spec in vocabulary.items()}


def _checked(entry: Any, name: str, file: Path) -> Mapping[str, Any]:
    where = f"{file.name}, fact {name}"
    if not isinstance(entry, dict):
        raise KnowledgeError("an entry is a mapping", where=where, remedy="Write {as: the words}")
    if extra := sorted(set(map(str, entry)) - _FIELDS):
        raise KnowledgeError(f"unknown field {extra[0]!r}", where=where, remedy=nearest(extra[0], _FIELDS))
    for key in _PLACES:
        if "{}" not in str(entry.get(key, "{}")):
            raise KnowledgeError(f"{key} has no place for values", where=where, remedy="Write {} where they stand")
    if not isinstance(entry.get("values", {}), dict):
        raise KnowledgeError("values is a mapping of values to words", where=where)
    return entry


def _phrase(spec: FactSpec, entry: Mapping[str, Any]) -> Phrase:
    own = f"{spec.name} ({spec.about})"
    name = str(entry.get("as", own))
    return Phrase(
        name=name,
        if_true=str(entry.get("if_true", f"{own} holds")),
        if_false=str(entry.get("if_false", f"{own} does not hold")),
        being=str(entry.get("is", f"{name} is {{}}")),
        not_being=str(entry.get("is_not", f"{name} is not {{}}")),
        having=str(entry.get("has", f"{name} holds {{}}")),
        lacking=str(entry.get("lacks", f"{name} does not hold {{}}")),
        values={str(value): str(words) for value, words in entry.get("values", {}).items()},
        percent=bool(entry.get("percent", spec.bounds == (0.0, 1.0))),
        unit=spec.unit,
    )
