"""Settings of low-rank factorization worth trying."""

from typing import Literal

from advisor.schema import ExecPath
from advisor.techniques.alignment import channel_multiple
from advisor.techniques.knowledge import load_techniques
from advisor.techniques.low_rank.ranks import eligible
from advisor.techniques.low_rank.step import LowRank
from advisor.techniques.registry import Case

_METHODS: tuple[Literal["svd", "spatial_svd", "tucker2"], ...] = ("svd", "spatial_svd", "tucker2")


def propose(case: Case, path: ExecPath) -> tuple[LowRank, ...]:
    """Propose every method that finds layers; the one with most MACs to work on comes first."""
    multiple = channel_multiple(case.device, path)
    ratios = load_techniques().techniques["low_rank"].figures("rank_ratios")
    reach: dict[Literal["svd", "spatial_svd", "tucker2"], int] = {}
    for method in _METHODS:
        layers = eligible(case.workload, LowRank(method=method, rank_ratio=ratios[0], round_to=multiple))
        if layers:
            reach[method] = sum(op.macs for op, _, _ in layers)
    order = sorted(reach, key=lambda method: -reach[method])
    return tuple(LowRank(method=method, rank_ratio=ratio, round_to=multiple) for ratio in ratios for method in order)
