"""What a transformer looks like with fewer attention heads and narrower MLPs."""

from advisor.schema import Workload
from advisor.techniques.channels import kept_width, narrowed
from advisor.techniques.prune_transformer.step import PruneTransformer
from advisor.techniques.summaries import refuse_summary
from advisor.techniques.transformer import transformer_blocks


def preview(step: PruneTransformer, workload: Workload) -> Workload:
    """Narrow hidden widths and remove heads in every block; the embedding width stays."""
    refuse_summary(workload, "pruning heads and hidden units")
    blocks = transformer_blocks(workload)
    widths = {}
    for group in blocks.hidden:
        if group.prunable and step.mlp_ratio:
            widths[group.id] = kept_width(group.width, step.mlp_ratio, step.round_to, group.blocks)
    for group in blocks.heads:
        if group.prunable and step.head_ratio:
            widths[group.id] = kept_width(group.width, step.head_ratio, 1)
    pinned = {group.why_not for group in (*blocks.hidden, *blocks.heads) if not group.prunable}
    note = "some heads or hidden units stay: " + "; ".join(sorted(pinned)) if pinned else ""
    return narrowed(workload, blocks.analysis, widths, note)
