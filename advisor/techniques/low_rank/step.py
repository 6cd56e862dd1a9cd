"""Low-rank factorization of linear layers and convolutions."""

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from advisor.schema import Step

Ranks = tuple[int, ...]  # one for SVD and spatial SVD, two for Tucker-2


class LowRank(Step):
    """Replace a layer by two or three thinner ones of lower rank.

    `rule` says where ranks come from: `budget`, the same share of the break-even rank everywhere; `energy`, the lowest
    ranks that keep a share of the kernel's squared values; `sensitivity`, the MACs of the budget, spent where the
    measured error of the outputs is largest; `vbmf`, what is not noise in the kernel by its own spectrum. All but the
    first depend on weights or data: their outcome is `ranks`, and until it is known the budget stands in for it.
    """

    technique: ClassVar[str] = "low_rank"
    # svd: linear and 1x1; spatial_svd, tucker2: k x k; auto: all, k x k by what costs less at equal energy
    method: Literal["svd", "spatial_svd", "tucker2", "auto"] = "svd"
    rule: Literal["budget", "energy", "sensitivity", "vbmf"] = "budget"
    rank_ratio: float = Field(default=0.5, gt=0, lt=1)  # rank as a share of the break-even rank
    energy: float = Field(default=0.9, gt=0, le=1)  # share of a kernel's squared values that is kept at least
    round_to: int = Field(default=8, ge=1)
    keep: tuple[str, ...] = ()  # layers that are left as they are
    ranks: tuple[tuple[str, Ranks], ...] | None = None  # layers and their ranks; what the rule came to
    aware: bool = False  # fit the thinner layers to the layer's outputs on calibration images, not to its kernel
    calibration_images: int = Field(default=64, ge=1)
    epochs: int = Field(default=10, ge=0)
    taught_by: str | None = None  # how recovery is taught: a name under `recovery` in knowledge/distillation.yaml

    @field_validator("ranks")
    @classmethod
    def _one_or_two(cls, ranks: tuple[tuple[str, Ranks], ...] | None) -> tuple[tuple[str, Ranks], ...] | None:
        for path, found in ranks or ():
            if len(found) not in (1, 2) or min(found) < 1:
                raise ValueError(f"{path}: one or two ranks of at least 1, not {found}")
        return ranks

    @property
    def label(self) -> str:
        """Name shown to people."""
        rule = {
            "budget": f"{self.rank_ratio:.0%} of break-even",
            "energy": f"{self.energy:.0%} of energy",
            "sensitivity": f"by sensitivity at {self.rank_ratio:.0%} of break-even",
            "vbmf": "VBMF",
        }[self.rule]
        return f"low rank ({self.method}, {rule}{', data-aware' if self.aware else ''})"
