"""Whether the original can teach, and how a training ended, in words."""

from typing import Any

from advisor.errors import NotApplicable
from advisor.measurement.accuracy import wilson

from .data import DataSplit
from .tasks import Task

TEACHER = "teacher_"


def validation(task: Task) -> str:
    """Return the name of the task's figure on the images that choose epochs: 'validation_top1'."""
    return f"validation_{task.metric.replace('-', '').replace(' ', '_').lower()}"


def known(teacher: float, student: float, images: int, data: DataSplit, task: Task) -> dict[str, Any]:
    """Return the score of a teacher; refuse one that does no better than guessing, or than the student as it is."""
    if guesses(teacher, images, data, task):
        raise NotApplicable(
            f"distil: the original cannot teach: {_figure(teacher, task)} of {images} validation images right, "
            f"guessing gives {100 / max(len(data.classes), 1):.1f} %",
            where="it is not trained for these classes, or its outputs stand in another order than the class folders",
            remedy="Give trained weights (a classes.txt beside the folders names the outputs), or train a network "
            "without a teacher.",
        )
    if student > teacher:
        raise NotApplicable(
            f"distil: the original has nothing to teach: its {task.metric} on {images} validation images is "
            f"{_figure(teacher, task)}, that of the student as it is {_figure(student, task)}",
            remedy="Swap the network for the student, or choose a plan without distillation.",
        )
    return {f"{TEACHER}{validation(task)}": round(teacher, 2)}


def asked(original: float, network: float, images: int, data: DataSplit, task: Task) -> dict[str, Any]:
    """Say where a recovery cannot learn from the original, and labels alone must do."""
    if not guesses(original, images, data, task) and network <= original:
        return {}
    told = f"{task.metric} of the original is {_figure(original, task)}, of the network itself {_figure(network, task)}"
    return {"taught_by": f"labels alone: {told}"}


def guesses(score: float, images: int, data: DataSplit, task: Task) -> bool:
    """Whether a classifier is no better than guessing, as far as so many images can tell."""
    if task.name != "classification":
        return False
    low, _ = wilson(round(score * images / 100), images)
    return low <= 100 / max(len(data.classes), 1)


def _figure(score: float, task: Task) -> str:
    return f"{abs(score):.1f}{' ' if task.unit else ''}{task.unit}"


def said(details: dict[str, Any]) -> str:
    """Tell what recovery or training did."""
    text = ""
    if "batch_norms_reestimated" in details:
        text += f"; re-estimated {details['batch_norms_reestimated']} batch norms"
    name = next((key.removesuffix("_after") for key in details if key.endswith("_after")), None)
    if name is None:
        return text
    figure = "validation top-1" if name == "validation_top1" else name.replace("_", " ")
    unit = " %" if name == "validation_top1" else ""
    before, after = details[f"{name}_before"], details[f"{name}_after"]
    teacher = details.get(f"{TEACHER}{name}")
    if teacher is None:
        text += f"; fine-tuned {details['epochs']} epochs, {figure} {before:.1f} to {after:.1f}{unit}"
        text += ", by labels alone" if "taught_by" in details else ""
    else:
        text += f"; taught {details['epochs']} epochs, {figure} {after:.1f}{unit} (original {teacher:.1f}{unit})"
        text += ": better than the original, which has little left to teach" if after > teacher else ""
    return f"{text}; stopped, {details['stopped']}" if "stopped" in details else text
