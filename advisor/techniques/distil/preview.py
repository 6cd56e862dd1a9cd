"""What distillation leaves: the student."""

from typing import Protocol

from advisor.errors import NotApplicable
from advisor.schema import Workload
from advisor.techniques.students import Student, student
from advisor.techniques.summaries import summarise


class ReadyMade(Protocol):
    """A step that puts a network of the list of students in place of the original."""

    @property
    def technique(self) -> str:
        """Name of the technique."""

    @property
    def student(self) -> str:
        """Its name, timm:NAME."""

    @property
    def size(self) -> int | None:
        """Side of its image; None: as it was published."""


def preview(step: ReadyMade, workload: Workload) -> Workload:
    """Return the student with the original's classes and colours; its layers are summarised by kind."""
    entry = fitted(step, workload)
    return summarise(entry, workload, outputs(workload) or entry.classes)


def fitted(step: ReadyMade, workload: Workload) -> Student:
    """Return the student for the images that this step gives it."""
    image = workload.input_shapes[0] if workload.inputs else ()
    if len(image) != 4:
        raise NotApplicable(f"{step.technique} gives networks that read images; this one does not")
    return student(step.student).reading(image[1], step.size)


def outputs(workload: Workload) -> int | None:
    """Return the number of classes that the original tells apart, None where its answer is no list of them."""
    shape = workload.tensor[workload.outputs[0]].shape if workload.outputs else ()
    return shape[-1] if len(shape) == 2 else None
