"""Building the student; the executor trains it, with the original as teacher, as the step says.

The student starts from random weights that are always the same. Its pictures are prepared as the teacher's, at its own
size.
"""

from typing import Any

from advisor.errors import NotApplicable
from advisor.techniques.subject import Change, Need, Stage, Subject

from .preview import fitted, outputs
from .step import Distil

STAGE: Stage = "torch"
TAUGHT = True  # the original is worth nothing to this step unless it is trained


def needs(step: Distil) -> Need:
    """Tell which data the step cannot do without: labelled images."""
    return "labels"


def training(step: Distil) -> dict[str, Any]:
    """Return how the student is trained, in the words of the executor's settings; it never stops early."""
    from .presets import preset

    return {
        "optimizer": preset(step.preset).optimizer,
        "learning_rate": step.learning_rate,
        "weight_decay": step.weight_decay,
        "batch": step.batch,
        "distillation": step.alpha,
        "temperature": step.temperature,
        "patience": step.epochs,
    }


def apply(step: Distil, subject: Subject) -> Change:
    """Return the untrained student with the classes and colours of the original."""
    from .building import Built, build_student

    if subject.module is None or subject.workload is None:
        raise NotApplicable("distil needs the torch module, not an ONNX file")
    classes = outputs(subject.workload)
    if classes is None or classes < 2:
        raise NotApplicable(
            "distil teaches classifiers; the output of this network is no list of classes",
            remedy="Choose a plan without distillation.",
        )
    entry = fitted(step, subject.workload)
    built = Built(student=entry.name, classes=classes, channels=entry.channels, size=entry.size)
    shape = (subject.input_shape[0], entry.channels, entry.size, entry.size)
    return Change(
        done=f"built {entry.name} with random weights for {classes} classes and images of {entry.size}x{entry.size}",
        module=build_student(built),
        details=built.model_dump(exclude={"joined"}),
        input_shape=None if shape == subject.input_shape else shape,
        built=built.model_copy(update={"joined": True}).model_dump(),
    )


def finish(step: Distil, module: Any) -> None:
    """Merge branches that only training needs, in place."""
    from .building import join

    join(module)
