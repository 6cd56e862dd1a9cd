"""Published small networks that a model may be distilled into, from knowledge/students.yaml."""

from functools import cache
from pathlib import Path

import yaml
from pydantic import ValidationError

from advisor.errors import KnowledgeError, nearest
from advisor.resources import data_dir, read_yaml
from advisor.schema import OpKind
from advisor.schema.base import Record


class KindShare(Record):
    """All operations of one kind: their number, MACs, parameters and activation elements written, at batch 1."""

    ops: int
    macs: int = 0
    params: int = 0
    elements: int = 0
    function: str = ""  # the most frequent one


class Peak(Record):
    """The moment with most live activation elements: the operation there writes `writes` while `reads` others live."""

    kind: OpKind
    reads: int
    writes: int


class Student(Record):
    """A network with weights in timm: cost as profiled with batch norms folded, accuracy as published."""

    name: str  # timm name without its weight tag
    tag: str = ""  # the weight tag the accuracy belongs to
    family: str
    size: int  # side of the input image the cost and the accuracy belong to
    params: int  # before folding, with the classifier for `classes`
    macs: int
    top1: float  # percent on ImageNet-1k validation
    features: int  # width that the classifier reads
    classes: int = 1000
    peak: Peak
    kinds: dict[OpKind, KindShare]


@cache
def load_students(path: Path | None = None) -> tuple[Student, ...]:
    """Return the students in order of their MACs."""
    file = path or data_dir("knowledge") / "students.yaml"
    try:
        raw = read_yaml(file)
        students = tuple(Student.model_validate(entry) for entry in raw["students"])
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValidationError) as error:
        raise KnowledgeError("the list of students cannot be read", where=f"{file}: {error}") from error
    return tuple(sorted(students, key=lambda s: (s.macs, s.name)))


def student(name: str) -> Student:
    """Return the student of this name, with or without 'timm:' in front."""
    plain = name.removeprefix("timm:")
    for entry in load_students():
        if entry.name == plain:
            return entry
    known = [entry.name for entry in load_students()]
    raise KnowledgeError(f"unknown student {name!r}", remedy=nearest(plain, known) or f"Known: {', '.join(known)}")
