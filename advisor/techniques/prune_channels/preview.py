"""What a network looks like with fewer channels: exact widths, parameters and MACs."""

from advisor.schema import Workload
from advisor.techniques.channels import channel_groups, kept_width, layer_path, narrowed
from advisor.techniques.propagation import analyse
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.summaries import is_summary, narrowed_summary
from advisor.techniques.trace import Analysis


def preview(step: PruneChannels, workload: Workload) -> Workload:
    """Narrow every prunable group; a summarised student is scaled by kind of layer."""
    if is_summary(workload):
        return narrowed_summary(workload, step.ratio)
    analysis = analyse(workload)
    widths = _group_widths(workload, analysis, step)
    pinned = sum(not group.prunable for group in channel_groups(workload, analysis))
    note = f"{pinned} groups of channels keep their width" if pinned else ""
    return narrowed(workload, analysis, widths, note)


def pruning_widths(workload: Workload, step: PruneChannels) -> dict[str, int]:
    """Return the new number of output channels by module path of every layer with weights that shrinks."""
    analysis = analyse(workload)
    widths = _group_widths(workload, analysis, step)
    found: dict[str, int] = {}
    for group in channel_groups(workload, analysis):
        if group.id in widths:
            found.update(dict.fromkeys(group.producers, widths[group.id]))
    order = [layer_path(workload, op) for op in workload.ops]
    return {path: found[path] for path in dict.fromkeys(order) if path in found}


def _group_widths(workload: Workload, analysis: Analysis, step: PruneChannels) -> dict[int, int]:
    """Return new widths by group, only where a group gets narrower."""
    widths = {
        group.id: kept_width(group.width, step.ratio, step.round_to, group.blocks)
        for group in channel_groups(workload, analysis)
        if group.prunable
    }
    return {id: width for id, width in widths.items() if width < analysis.channels.width[id]}
