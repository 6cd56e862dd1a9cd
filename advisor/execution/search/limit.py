"""Whether a loss of accuracy keeps within a limit, as far as so many images can tell."""

from dataclasses import dataclass
from typing import Literal

from advisor.schema import Measurement, SearchRecord

CAUTION = 1.0
"""Standard errors that are added to a loss on the selection images: the best of several tries looks better than it is.

With one of them, five of six settings at the limit are refused. Few images make it hard to pass, as they should.
"""


@dataclass(frozen=True)
class Loss:
    """Points lost on selection images, positive is worse, and their standard error.

    `bound`: without labels, the most that can have been lost.
    """

    drop: float
    standard_error: float
    images: int
    bound: bool = False

    def within(self, max_drop: float) -> bool:
        """Whether the loss keeps within the limit with some room for chance."""
        return self.drop + CAUTION * self.standard_error <= max_drop

    @property
    def told(self) -> str:
        """The loss in words."""
        drop = self.drop + 0.0  # no negative zero
        if self.bound:
            return f"{drop:.2f} % of answers changed on {self.images} images without labels: at most so many points"
        return f"loses {drop:.2f} points (standard error {self.standard_error:.2f}) on {self.images} images"


def verdict_on(record: SearchRecord, measured: Measurement | None) -> SearchRecord:
    """Judge the shipped file by its loss on the test images; `measured` is after minus before, in points."""
    if measured is None:
        return record
    low, drop, high = (0.0 - value for value in (measured.high, measured.value, measured.low))
    verdict: Literal["kept", "broken", "within error"] = "kept" if high <= record.max_drop else "within error"
    if drop > record.max_drop:
        verdict = "broken"
    return record.model_copy(update={"drop": drop, "drop_low": low, "drop_high": high, "verdict": verdict})
