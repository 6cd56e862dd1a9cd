"""Structured pruning of convolution channels and of the hidden widths that depend on them."""

from typing import ClassVar, Literal

from pydantic import Field

from advisor.schema import Step


class PruneChannels(Step):
    """Remove the same share of channels from every prunable group of coupled layers, then recover by fine-tuning."""

    technique: ClassVar[str] = "prune_channels"
    ratio: float = Field(gt=0, lt=1)  # share of channels removed, before rounding
    criterion: Literal["l2", "l1", "taylor", "random"] = "l2"
    round_to: int = Field(default=8, ge=1)  # kept widths are multiples of this
    epochs: int = Field(default=10, ge=0)  # of fine-tuning; 0: only batch-norm statistics are re-estimated

    @property
    def label(self) -> str:
        """Name shown to people."""
        return f"prune {self.ratio:.0%} of channels"
