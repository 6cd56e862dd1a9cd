"""What outcomes measured on a device taught about one kind of prediction for it."""

from .base import Record
from .estimate import Metric


class Lesson(Record):
    """How far predictions of one kind lay from what was measured, in units of the half-width of their own intervals.

    It holds for `predictor`'s estimates of `metric` in this runtime ("" for any), number of threads (0: one that was
    not seen), form (precision; for accuracy the techniques; "" for one that was not seen) and network ("" likewise).
    `shift` moves the middle, in standard deviations that the estimate claims: its interval of 80 % is 2.56 of them
    wide. `width` multiplies the interval. `times` outcomes are of this very form and runtime; `elsewhere` of them were
    imported.
    """

    metric: Metric
    predictor: str
    runtime: str = ""
    threads: int = 0
    form: str = ""
    network: str = ""
    times: int
    elsewhere: int = 0
    shift: float
    width: float
