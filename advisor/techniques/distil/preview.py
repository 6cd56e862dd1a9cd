"""What distillation leaves: the student."""

from advisor.schema import Workload
from advisor.techniques.distil.step import Distil
from advisor.techniques.students import student
from advisor.techniques.summaries import summarise


def preview(step: Distil, workload: Workload) -> Workload:
    """Return the student with as many classes as the teacher; its layers are summarised by kind."""
    entry = student(step.student)
    shape = workload.tensor[workload.outputs[0]].shape if workload.outputs else ()
    return summarise(entry, workload, shape[-1] if len(shape) == 2 else entry.classes)
