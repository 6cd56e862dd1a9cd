"""What a transformer looks like with fewer attention heads and narrower MLPs."""

from advisor.schema import Workload
from advisor.techniques.channels import ChannelGroup, kept_width, narrowed
from advisor.techniques.prune_transformer.step import PruneTransformer
from advisor.techniques.summaries import refuse_summary
from advisor.techniques.transformer import Blocks, transformer_blocks


def preview(step: PruneTransformer, workload: Workload) -> Workload:
    """Narrow hidden widths and remove heads in every block; the embedding width stays."""
    refuse_summary(workload, "pruning heads and hidden units")
    blocks = transformer_blocks(workload)
    stay = sorted(pinned(workload, blocks))
    note = "some heads or hidden units stay: " + "; ".join(stay) if stay else ""
    return narrowed(workload, blocks.analysis, kept_widths(step, workload, blocks), note)


def kept_widths(step: PruneTransformer, workload: Workload, blocks: Blocks) -> dict[int, int]:
    """Return how many heads or hidden units stay, by group, only where some go."""
    widths = {}
    for group in blocks.hidden:
        if group.prunable and step.mlp_ratio:
            widths[group.id] = kept_width(group.width, step.mlp_ratio, step.round_to, group.blocks)
    for group in blocks.heads:
        if not _why_heads_stay(workload, group) and step.head_ratio:
            widths[group.id] = kept_width(group.width, step.head_ratio, 1)
    return {group: width for group, width in widths.items() if width < blocks.analysis.channels.width[group]}


def pinned(workload: Workload, blocks: Blocks) -> set[str]:
    """Return why some groups keep their width."""
    reasons = {group.why_not for group in blocks.hidden} | {_why_heads_stay(workload, group) for group in blocks.heads}
    return reasons - {""}


def _why_heads_stay(workload: Workload, group: ChannelGroup) -> str:
    """Return the reason, "" where heads may go; torch's own module computes their width from the embedding's."""
    if group.prunable and any(workload.modules.get(path) == "MultiheadAttention" for path in group.producers):
        return "the heads of torch's MultiheadAttention fill the embedding"
    return group.why_not
