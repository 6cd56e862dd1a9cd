"""Building the student; the executor trains it, with the original as teacher, as the step says.

Random weights are always the same. The student's pictures are prepared as the teacher's, at its own size.
"""

from typing import Any

from advisor.techniques.subject import Change, Need, Stage, Subject

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
        "patience": step.epochs,
    }


def objective(step: Distil, student: Any, teacher: Any, images: Any, hard: Any) -> Any:
    """Return what the student learns: labels and what the objective takes from the teacher."""
    from .objectives import build

    return build(step.teaching, student, teacher, images, hard)


def apply(step: Distil, subject: Subject) -> Change:
    """Return the untaught student with the classes and colours of the original."""
    from .starting import intended, put_in, started

    built = intended(step, subject)
    return put_in(started(built, step.weights), built, subject)


def finish(step: Distil, module: Any) -> None:
    """Merge branches that only training needs, in place."""
    from .building import join

    join(module)
