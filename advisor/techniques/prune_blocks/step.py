"""Depth pruning: whole residual or transformer blocks go."""

from typing import ClassVar, Literal

from pydantic import Field

from advisor.schema import Step
from advisor.techniques.recovery import Recovery


class PruneBlocks(Step):
    """Remove whole blocks that add something to what passes them by and keep its shape, then recover by training.

    Which blocks go is measured by `resolve`: one after the other, that whose absence changes the outputs least
    (`output_change`, on calibration images, or on noise where there are none), or `random` as a control.
    """

    technique: ClassVar[str] = "prune_blocks"
    ratio: float = Field(gt=0, lt=1)  # share of the blocks that can go, to the nearest whole number
    criterion: Literal["output_change", "random"] = "output_change"
    keep: tuple[str, ...] = ()  # module paths of blocks that stay
    epochs: int = Field(default=10, ge=0)
    recovery: Recovery = "fine_tune"
    taught_by: str | None = None  # how recovery is taught: a name under `recovery` in knowledge/distillation.yaml
    blocks: tuple[str, ...] = ()  # resolved: module paths of the blocks that go

    @property
    def label(self) -> str:
        """Name shown to people."""
        return f"drop {self.ratio:.0%} of blocks"
