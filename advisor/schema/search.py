"""The record of a search for the strongest setting of a plan that keeps within a limit of accuracy."""

from typing import Literal

from pydantic import Field

from .base import Record
from .plan import Plan

Outcome = Literal["holds", "breaks", "no gain", "refused", "unfinished"]


class Trial(Record):
    """One setting that was tried; costs are of the file that it leaves, against the unchanged model."""

    number: int
    asked: Plan  # the setting that was tried
    plan: Plan  # what it became on this network
    outcome: Outcome
    reason: str  # why it ended so, in a sentence
    macs: int | None = None
    megabytes: float | None = None
    times_as_fast: float | None = None  # milliseconds of the unchanged model over those of the file, a quick look
    agreement: float | None = Field(default=None, ge=0, le=100)  # percent, before any training
    drop: float | None = None  # points on the selection images, positive is worse
    standard_error: float | None = None  # of `drop`, in points
    images: int = 0  # selection images behind `drop`
    seconds: float = 0.0


class Sensitivity(Record):
    """What changing one part alone did to the answers on selection images."""

    part: str  # module path or node
    technique: str
    agreement: float = Field(ge=0, le=100)  # percent of answers that stayed


class SearchRecord(Record):
    """What was asked, what was tried, and whether the limit holds on images that took no part in any of it."""

    max_drop: float = Field(ge=0)  # points
    metric: str = "top-1"
    budget_s: float | None = None
    spent_s: float = 0.0
    selection: int = 0  # images that chose
    sensitivities: tuple[Sensitivity, ...] = ()
    trials: tuple[Trial, ...] = ()
    chosen: int | None = None  # number of the trial that ships
    drop: float | None = None  # points on the test images; None: not measured
    drop_low: float | None = None  # 95 % interval
    drop_high: float | None = None
    verdict: Literal["kept", "broken", "within error", "not measured"] = "not measured"
    notes: tuple[str, ...] = ()
