"""Structured pruning of convolution channels and of the hidden widths that depend on them."""

from typing import ClassVar, Literal

from pydantic import Field

from advisor.schema import Step
from advisor.techniques.recovery import Recovery, counted

SHARES = {"channels": "channels", "macs": "MACs", "params": "parameters"}  # what `ratio` is a share of


class PruneChannels(Step):
    """Remove channels from groups of coupled layers, then recover by training.

    `ratio` is the share removed of what `target` names, before rounding: of the channels of every group, or of the MACs
    or parameters of the whole network (then the nearest that rounded widths can reach).

    Criteria, all over the coupled layers of a group, divided by the group's mean: `l2`, `l1` mean norm (DepGraph, Fang
    et al. 2023), `group_max` norm of the largest member, `filter_l1` norm of the producing filters alone (Li et al.
    2017), `lamp` (Lee et al. 2021), `fpgm` distance from the other filters (He et al. 2019), `bn_scale` (Liu et al.
    2017), `taylor` gradient times weight (Molchanov et al. 2019), `random` as a control.

    Allocation: `uniform` the same share everywhere; `global` by one ranking over all groups; `isomorphic` by rankings
    among groups of equal structure (Fang et al. 2024). The last two need the weights: `resolve` turns them into
    `widths`, and until then previews are those of a uniform cut.
    """

    technique: ClassVar[str] = "prune_channels"
    ratio: float = Field(gt=0, lt=1)
    target: Literal["channels", "macs", "params"] = "channels"
    criterion: Literal["l2", "l1", "group_max", "filter_l1", "lamp", "fpgm", "bn_scale", "taylor", "random"] = "l2"
    allocation: Literal["uniform", "global", "isomorphic"] = "uniform"
    cap: float | None = Field(default=None, gt=0, lt=1)  # largest share a ranking takes from a group; None: as advised
    keep: tuple[str, ...] = ()  # module paths of layers whose groups keep their width
    round_to: int = Field(default=8, ge=1)  # kept widths are multiples of this
    epochs: int = Field(default=10, ge=0)  # of training, in all rounds together; 0: batch norms are estimated anew
    iterations: int = Field(default=1, ge=1)  # rounds of cutting and training
    recovery: Recovery = "fine_tune"
    taught_by: str | None = None  # how recovery is taught: a name under `recovery` in knowledge/distillation.yaml
    widths: tuple[tuple[str, int], ...] = ()  # resolved: output channels that stay, by module path
    part: float = Field(default=1.0, gt=0, le=1)  # of the way to `widths` that this round goes

    @property
    def label(self) -> str:
        """Name shown to people."""
        how = "" if self.allocation == "uniform" else f", {self.allocation}"
        return f"prune {self.ratio:.0%} of {SHARES[self.target]}{how}{counted(self.iterations)}"
