"""Published small networks that a model may be distilled into, from knowledge/students.yaml."""

from functools import cache
from pathlib import Path

import yaml
from pydantic import ValidationError

from advisor.errors import KnowledgeError, NotApplicable, nearest
from advisor.resources import data_dir, read_yaml
from advisor.schema import OpKind
from advisor.schema.base import Record

STRIDE = 32  # of the coarsest map of every student
TOKENS = frozenset({OpKind.ATTENTION, OpKind.MATMUL, OpKind.SOFTMAX})  # quadratic in the number of tokens


class KindShare(Record):
    """All operations of one kind: their number, MACs, parameters and activation elements written, at batch 1."""

    ops: int
    macs: int = 0
    fixed: int = 0  # of the MACs, those that stay the same with another size of the image
    params: int = 0
    elements: int = 0
    function: str = ""  # the most frequent one


class Peak(Record):
    """The moment with most live activation elements: the operation there writes `writes` while `reads` others live."""

    kind: OpKind
    reads: int
    writes: int


class Stem(Record):
    """The layer that reads the image: what of its kind belongs to one colour channel."""

    kind: OpKind
    macs: int
    params: int


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
    channels: int = 3
    stem: Stem
    peak: Peak
    kinds: dict[OpKind, KindShare]

    def reading(self, channels: int, side: int | None = None) -> "Student":
        """Return the student for images of so many channels and, where its cost follows the image, of another side."""
        area = 1.0 if side in (None, self.size) else self._area(side or self.size)
        kinds = {kind: share.model_copy(update=_scaled(share, area)) for kind, share in self.kinds.items()}
        more = channels - self.channels
        stem = self.stem.model_copy(update={"macs": round(self.stem.macs * area)})
        first = kinds[stem.kind]
        kinds[stem.kind] = first.model_copy(
            update={"macs": first.macs + more * stem.macs, "params": first.params + more * stem.params}
        )
        peak = self.peak.model_copy(
            update={"reads": max(1, round(self.peak.reads * area)), "writes": max(1, round(self.peak.writes * area))}
        )
        cost = {
            "macs": sum(share.macs for share in kinds.values()),
            "params": self.params + more * stem.params,
        }
        shape = {"size": side or self.size, "channels": channels, "stem": stem, "peak": peak, "kinds": kinds}
        return self.model_copy(update={**cost, **shape})

    def _area(self, side: int) -> float:
        """Return how many times the pixels a side means; layers halve it evenly only from a multiple of 32 on."""
        if side % STRIDE or self.size % STRIDE or self.kinds.keys() & TOKENS:
            raise NotApplicable(
                f"the cost of {self.name} at {side} px is not known",
                remedy=f"Leave its size at {self.size} px, or choose a convolutional student.",
            )
        return (side / self.size) ** 2


def _scaled(share: KindShare, area: float) -> dict[str, int]:
    return {
        "macs": share.fixed + round((share.macs - share.fixed) * area),
        "elements": round(share.elements * area),
    }


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
