"""Teaching a compressed network by the original, by named ways of knowledge/distillation.yaml."""

from typing import Any

from advisor.techniques.distil.presets import USUAL_RECOVERY, recovery

from . import build


def recovery_objective(student: Any, teacher: Any, images: Any, hard: Any, *, name: str = USUAL_RECOVERY) -> Any:
    """Return what recovers a network that was made from the teacher; see `build` for the arguments.

    The caller does not ask a teacher that knows nothing: `teacher=None` leaves the labels alone.
    """
    from .mixed import Labels

    if teacher is None:
        return Labels(hard)
    return build(recovery(name), student, teacher, images, hard, aligned=True)
