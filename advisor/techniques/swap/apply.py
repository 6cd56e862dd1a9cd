"""Building the ready-made network; the executor trains it on labels where the step asks for epochs.

Its pictures are prepared as the original's, at its own size. Weights whose publisher prepared them otherwise would
answer wrongly, so they are not used without training.
"""

from typing import Any

from advisor.errors import NotApplicable
from advisor.techniques.subject import Change, Need, Stage, Subject

from .step import Swap

STAGE: Stage = "torch"
_LEAST = 1e-3  # of a brightness from 0 to 1; figures that differ by less are the same, rounded
FRESH = True  # the network does not come from the original: its batch norms stay as its weights have them


def needs(step: Swap) -> Need:
    """Tell which data the step cannot do without: labelled images, where it is trained."""
    return "labels" if step.epochs else "nothing"


def training(step: Swap) -> dict[str, Any]:
    """Return how the network is trained."""
    return step.trained


def objective(step: Swap, student: Any, teacher: Any, images: Any, hard: Any) -> Any:
    """Return the loss on the labels: the original is not asked."""
    from advisor.techniques.distil.objectives.mixed import Labels

    return Labels(hard)


def apply(step: Swap, subject: Subject) -> Change:
    """Return the ready-made network with the classes and colours of the original."""
    from advisor.techniques.distil.starting import intended, put_in, started

    built = intended(step, subject)
    begun = started(built, step.weights)
    if not step.epochs:
        _refuse_unfit(begun, subject)
    return put_in(begun, built, subject)


def finish(step: Swap, module: Any) -> None:
    """Merge branches that only training needs, in place."""
    from advisor.techniques.distil.building import join

    join(module)


def _alike(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return len(one) == len(other) and all(abs(a - b) < _LEAST for a, b in zip(one, other, strict=True))


def _refuse_unfit(begun: Any, subject: Subject) -> None:
    """Refuse weights that mean nothing for these classes or images as they are."""
    if not begun.answers:
        raise NotApplicable(
            f"{begun.said} tell other classes apart, so the classifier would be random",
            remedy="Train it: set 'epochs' and give labelled images, or give weights for these classes.",
        )
    prepared = subject.preprocessing
    if begun.normalised is None or prepared is None:
        return
    found = (tuple(prepared.mean), tuple(prepared.std))
    if not all(_alike(one, other) for one, other in zip(begun.normalised, found, strict=True)):
        raise NotApplicable(
            f"{begun.said} were trained on images with mean {begun.normalised[0]} and deviation {begun.normalised[1]}; "
            f"this model's images have {found[0]} and {found[1]}",
            remedy="Train it on them: set 'epochs' and give labelled images.",
        )
