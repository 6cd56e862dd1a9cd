"""Structured pruning of transformers: attention heads and MLP width."""

from typing import ClassVar

from pydantic import Field

from advisor.schema import Step


class PruneTransformer(Step):
    """Remove whole attention heads and hidden units of the MLP in every block; the embedding width stays."""

    technique: ClassVar[str] = "prune_transformer"
    mlp_ratio: float = Field(default=0.0, ge=0, lt=1)  # share of hidden units removed
    head_ratio: float = Field(default=0.0, ge=0, lt=1)  # share of heads removed in each block
    round_to: int = Field(default=8, ge=1)
    epochs: int = Field(default=10, ge=0)

    @property
    def label(self) -> str:
        """Name shown to people."""
        return f"prune {self.mlp_ratio:.0%} of MLP width, {self.head_ratio:.0%} of heads"
