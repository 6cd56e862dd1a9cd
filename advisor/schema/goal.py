"""What the user wants: a goal, hard limits, the data and the effort that may be spent."""

from typing import Literal

from pydantic import Field

from .base import Record
from .estimate import Metric

GoalKind = Literal["balanced", "latency", "size", "memory", "energy", "accuracy"]
Budget = Literal["none", "calibration", "finetune", "train"]
BUDGETS: tuple[Budget, ...] = ("none", "calibration", "finetune", "train")


class Limit(Record):
    """A hard limit. Costs may not exceed `bound`; accuracy may not fall by more than `bound` points.

    `sustained`: the limit was stated in images per second; `bound` is the time from one batch's result to the next.
    """

    metric: Metric
    bound: float = Field(ge=0, allow_inf_nan=False)
    sustained: bool = False


class DataFacts(Record):
    """What is known about the user's images, without holding them."""

    images: int = 0  # all usable images
    labelled: int = 0
    calibration: int = 0
    train: int = 0
    test: int = 0
    classes: int | None = None


class Goal(Record):
    """Everything the user asked for beside the model and the device.

    `budget` is the effort allowed: none (nothing is run on data), calibration (unlabelled images), finetune (labels, a
    short training) or train (a full training). `runtime` restricts the plans to one runtime.
    """

    kind: GoalKind = "balanced"
    limits: tuple[Limit, ...] = ()
    budget: Budget = "finetune"
    runtime: str | None = None
    unit: str | None = None
    batch: int = Field(default=1, ge=1)
    threads: int | None = None
    power_mode: str | None = None  # name or watts of a mode of the device's profile
    data: DataFacts = DataFacts()
    seed: int = 0

    def bound(self, metric: Metric) -> float | None:
        """The limit on `metric`, if any."""
        return next((limit.bound for limit in self.limits if limit.metric == metric), None)
