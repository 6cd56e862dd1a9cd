"""Whether the original can teach, and how a training ended, in words."""

from typing import Any

from advisor.errors import NotApplicable
from advisor.measurement.accuracy import wilson

from .folders import Item
from .images import ImageReader
from .training import validation_top1


def known_top1(teacher: Any, held: tuple[Item, ...], reader: ImageReader, classes: int) -> float:
    """Return the teacher's top-1 on the validation images; refuse one that does no better than guessing."""
    top1 = validation_top1(teacher, held, reader)
    chance = 100 / max(classes, 1)
    low, _ = wilson(round(top1 * len(held) / 100), len(held))
    if low <= chance:
        raise NotApplicable(
            f"distil: the original cannot teach: {top1:.1f} % of {len(held)} validation images right, "
            f"guessing gives {chance:.1f} %",
            where="it is not trained for these classes, or its outputs stand in another order than the class folders",
            remedy="Give trained weights (a classes.txt beside the folders names the outputs), or train a network "
            "without a teacher.",
        )
    return round(top1, 2)


def said(details: dict[str, Any]) -> str:
    """Tell what recovery or training did."""
    text = ""
    if "batch_norms_reestimated" in details:
        text += f"; re-estimated {details['batch_norms_reestimated']} batch norms"
    if "epochs" not in details:
        return text
    before, after = (details[f"validation_top1_{when}"] for when in ("before", "after"))
    if "teacher_validation_top1" not in details:
        return f"{text}; fine-tuned {details['epochs']} epochs, validation top-1 {before:.1f} to {after:.1f} %"
    teacher = details["teacher_validation_top1"]
    text += f"; taught {details['epochs']} epochs, validation top-1 {after:.1f} % (original {teacher:.1f} %)"
    if after > teacher:
        text += ": better than the original, which has little left to teach"
    return text
