"""Smaller images from weak to strong."""

from advisor.techniques.resolution.step import LowerResolution

SHARES = (1.5, 1.25, 1.0, 0.75, 0.5)  # of the size that the step asks for
MULTIPLE = 8  # sizes that most networks can read; one that they cannot is refused when it is tried


def dial(step: LowerResolution) -> tuple[LowerResolution, ...]:
    """Return the step with larger and smaller images."""
    return tuple(step if share == 1 else _sized(step, share) for share in SHARES)


def _sized(step: LowerResolution, share: float) -> LowerResolution:
    sides = (max(MULTIPLE, round(side * share / MULTIPLE) * MULTIPLE) for side in (step.height, step.width))
    return step.model_copy(update=dict(zip(("height", "width"), sides, strict=True)))
