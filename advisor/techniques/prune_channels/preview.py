"""What a network looks like with fewer channels: exact widths, parameters and MACs."""

from collections.abc import Mapping

from advisor.schema import Workload
from advisor.techniques.channels import ChannelGroup, channel_groups, layer_path, narrowed
from advisor.techniques.propagation import analyse
from advisor.techniques.prune_channels.allocation import Ranked, Widths, allocate
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.summaries import is_summary, narrowed_summary
from advisor.techniques.trace import Analysis


def preview(step: PruneChannels, workload: Workload) -> Workload:
    """Narrow every prunable group; a summarised student is scaled by kind of layer."""
    if is_summary(workload):
        return _summarised(step, workload)
    analysis = analyse(workload)
    groups = channel_groups(workload, analysis)
    pinned = sum(not group.prunable for group in groups)
    note = f"{pinned} groups of channels keep their width" if pinned else ""
    return narrowed(workload, analysis, _shrunk(allocate(step, workload, analysis, groups), analysis), note)


def pruning_widths(
    workload: Workload, step: PruneChannels, ranked: Mapping[int, Ranked] | None = None
) -> dict[str, int]:
    """Return the new number of output channels by module path of every layer with weights that shrinks.

    `ranked` are the scores by group that a ranking over groups needs; without them it is that of a uniform cut.
    """
    analysis = analyse(workload)
    groups = channel_groups(workload, analysis)
    return by_path(workload, groups, _shrunk(allocate(step, workload, analysis, groups, ranked), analysis))


def by_path(workload: Workload, groups: tuple[ChannelGroup, ...], widths: Widths) -> dict[str, int]:
    """Return widths by the module path of the layers that make the channels, in the order of the network."""
    found: dict[str, int] = {}
    for group in groups:
        if group.id in widths:
            found.update(dict.fromkeys(group.producers, widths[group.id]))
    order = [layer_path(workload, op) for op in workload.ops]
    return {path: found[path] for path in dict.fromkeys(order) if path in found}


def _shrunk(widths: Widths, analysis: Analysis) -> Widths:
    """Return new widths by group, only where a group gets narrower."""
    return {id: width for id, width in widths.items() if width < analysis.channels.width[id]}


def _summarised(step: PruneChannels, workload: Workload) -> Workload:
    """Scale a summary so that the share asked for goes of what was asked for."""
    if step.target == "channels":
        return narrowed_summary(workload, step.ratio)
    low, high, after = 0.0, 1.0, workload
    for _ in range(20):  # halvings: finer than the rounding of any layer
        middle = (low + high) / 2
        after = narrowed_summary(workload, middle)
        gone = 1 - (after.macs / workload.macs if step.target == "macs" else after.params / workload.params)
        low, high = (middle, high) if gone < step.ratio else (low, middle)
    return after
