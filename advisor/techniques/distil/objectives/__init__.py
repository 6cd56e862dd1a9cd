"""What a network is taught by: one objective a file, all mixed with the loss on the labels.

`build` makes the module that the executor trains with: `forward(student, teacher, images, targets)` returns a scalar.
Terms compare answers (response, decoupled, standardised, hard label) or, through hooks, what happens inside (hint,
attention, relation). Importing this package needs no torch.
"""

from typing import Any

from advisor.techniques.distil.presets import Teaching


def build(teaching: Teaching, student: Any, teacher: Any, images: Any, hard: Any, *, aligned: bool = False) -> Any:
    """Return the objective for these two networks, a torch module whose `close()` takes its hooks off them.

    `images` is one batch, float32 NCHW, to find layers and shapes with; `hard(outputs, targets)` the loss of the task.
    `aligned`: the student was made from the teacher, so that equally wide layers mean the same.
    """
    from .mixed import Labels, Taught

    if teaching.alpha == 0:
        return Labels(hard)
    return Taught(hard, _term(teaching, student, teacher, images, aligned), teaching.alpha, teaching.scale)


def _term(teaching: Teaching, student: Any, teacher: Any, images: Any, aligned: bool) -> Any:
    from . import attention, decoupled, hard_label, hint, relation, response, standardised

    match teaching.objective:
        case "response":
            return response.Response(teaching.temperature)
        case "decoupled":
            return decoupled.Decoupled(teaching.temperature, *teaching.parts)
        case "standardised":
            return standardised.Standardised(teaching.temperature)
        case "hint":
            return hint.Hint(student, teacher, images, aligned=aligned)
        case "attention":
            return attention.Attention(student, teacher, images)
        case "relation":
            return relation.Relation(student, teacher, images, *teaching.parts)
        case "hard_label":
            return hard_label.HardLabel()
