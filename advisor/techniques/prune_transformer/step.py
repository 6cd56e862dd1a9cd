"""Structured pruning of transformers: attention heads and MLP width."""

from typing import ClassVar, Literal

from pydantic import Field

from advisor.schema import Step
from advisor.techniques.recovery import Recovery, counted


class PruneTransformer(Step):
    """Remove whole attention heads and hidden units of the MLP in every block; the embedding width stays.

    Criteria, over all weights that hold a head or unit: `l2` norm, `taylor` gradient times weight (Molchanov et al.
    2019; Michel et al. 2019 for heads), `random` as a control.
    """

    technique: ClassVar[str] = "prune_transformer"
    mlp_ratio: float = Field(default=0.0, ge=0, lt=1)  # share of hidden units removed
    head_ratio: float = Field(default=0.0, ge=0, lt=1)  # share of heads removed in each block
    criterion: Literal["l2", "taylor", "random"] = "l2"
    keep: tuple[str, ...] = ()  # module paths of layers whose heads or units all stay
    round_to: int = Field(default=8, ge=1)
    epochs: int = Field(default=10, ge=0)  # of training, in all rounds together
    iterations: int = Field(default=1, ge=1)  # rounds of cutting and training
    recovery: Recovery = "fine_tune"
    taught_by: str | None = None  # how recovery is taught: a name under `recovery` in knowledge/distillation.yaml
    widths: tuple[tuple[str, int], ...] = ()  # resolved: heads or units that stay, by the first layer that makes them
    part: float = Field(default=1.0, gt=0, le=1)  # of the way to `widths` that this round goes

    @property
    def label(self) -> str:
        """Name shown to people."""
        return f"prune {self.mlp_ratio:.0%} of MLP width, {self.head_ratio:.0%} of heads{counted(self.iterations)}"
