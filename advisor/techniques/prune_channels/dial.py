"""Channel pruning from weak to strong, and the groups of layers that it changes."""

from advisor.schema import Workload
from advisor.techniques.channels import channel_groups
from advisor.techniques.dials import turned
from advisor.techniques.propagation import analyse
from advisor.techniques.prune_channels.preview import pruning_widths
from advisor.techniques.prune_channels.step import PruneChannels

RATIOS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)  # steps of a tenth: finer ones are lost in the rounding of widths


def dial(step: PruneChannels) -> tuple[PruneChannels, ...]:
    """Return the step with smaller and larger shares removed."""
    return turned(step, "ratio", RATIOS, strong="high")


def parts(step: PruneChannels, workload: Workload) -> tuple[tuple[str, ...], ...]:
    """Return the groups of coupled layers that get narrower, by the paths of their layers."""
    narrower = set(pruning_widths(workload, step))
    groups = (tuple(group.producers) for group in channel_groups(workload, analyse(workload)) if group.prunable)
    return tuple(paths for paths in groups if narrower & set(paths))
