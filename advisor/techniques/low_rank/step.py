"""Low-rank factorization of linear layers and convolutions."""

from typing import ClassVar, Literal

from pydantic import Field

from advisor.schema import Step


class LowRank(Step):
    """Replace a layer by two or three thinner ones of lower rank."""

    technique: ClassVar[str] = "low_rank"
    method: Literal["svd", "spatial_svd", "tucker2"] = "svd"  # svd: linear and 1x1; the others: k x k
    rank_ratio: float = Field(default=0.5, gt=0, lt=1)  # rank as a share of the break-even rank
    round_to: int = Field(default=8, ge=1)
    epochs: int = Field(default=10, ge=0)

    @property
    def label(self) -> str:
        """Name shown to people."""
        return f"low rank ({self.method}, {self.rank_ratio:.0%} of break-even)"
