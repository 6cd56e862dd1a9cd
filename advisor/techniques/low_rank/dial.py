"""Low-rank factorization from weak to strong, and the layers that it changes."""

from advisor.schema import Workload
from advisor.techniques.dials import turned
from advisor.techniques.low_rank.ranks import eligible, path_of
from advisor.techniques.low_rank.step import LowRank

RATIOS = (0.9, 0.75, 0.6, 0.5, 0.4, 0.3, 0.2)  # of the rank at which nothing is saved
ENERGIES = (0.99, 0.97, 0.95, 0.9, 0.85, 0.8, 0.7)


def dial(step: LowRank) -> tuple[LowRank, ...]:
    """Return the step with higher and lower ranks; ranks that the kernels' own noise decides have one setting."""
    if step.rule == "vbmf":
        return (step,)
    if step.rule == "energy":
        return turned(step, "energy", ENERGIES, strong="low")
    return turned(step, "rank_ratio", RATIOS, strong="low")


def parts(step: LowRank, workload: Workload) -> tuple[tuple[str, ...], ...]:
    """Return the layers that the step replaces, one by one."""
    return tuple((path_of(weight),) for _, weight, _ in eligible(workload, step))
