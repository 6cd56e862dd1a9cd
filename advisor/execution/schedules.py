"""How the learning rate moves during a training: a factor for every update, computed from its number alone."""

import math
from typing import Literal

Schedule = Literal["cosine", "constant", "step"]
_STEPS = (0.5, 0.75)  # shares of a training after which the rate falls, as in the training of residual networks
_FALL = 0.1


def factor(schedule: Schedule, update: int, updates: int, warmup: int = 0) -> float:
    """Return what the learning rate is multiplied by in update `update` of `updates`, counted from 0.

    The first `warmup` updates rise linearly; the schedule runs over the rest.
    """
    if update < warmup:
        return (update + 1) / warmup
    done = (update - warmup) / max(1, updates - warmup)
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    if schedule == "step":
        return float(_FALL ** sum(done >= share for share in _STEPS))
    return 1.0
