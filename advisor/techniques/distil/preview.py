"""What distillation leaves: the student."""

from advisor.errors import NotApplicable
from advisor.schema import Workload
from advisor.techniques.distil.step import Distil
from advisor.techniques.students import Student, student
from advisor.techniques.summaries import summarise


def preview(step: Distil, workload: Workload) -> Workload:
    """Return the student with the teacher's classes and colours; its layers are summarised by kind."""
    entry = fitted(step, workload)
    return summarise(entry, workload, outputs(workload) or entry.classes)


def fitted(step: Distil, workload: Workload) -> Student:
    """Return the student for the images that this step gives it."""
    image = workload.input_shapes[0] if workload.inputs else ()
    if len(image) != 4:
        raise NotApplicable("distil teaches networks that read images; this one does not")
    return student(step.student).reading(image[1], step.size)


def outputs(workload: Workload) -> int | None:
    """Return the number of classes that the teacher tells apart, None where its answer is no list of them."""
    shape = workload.tensor[workload.outputs[0]].shape if workload.outputs else ()
    return shape[-1] if len(shape) == 2 else None
