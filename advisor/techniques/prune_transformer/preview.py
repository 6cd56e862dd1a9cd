"""What a transformer looks like with fewer attention heads and narrower MLPs."""

from math import ceil

from advisor.errors import NotApplicable
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
    hidden = [(g, step.round_to) for g in blocks.hidden if g.prunable and not set(g.producers) & set(step.keep)]
    heads = [(g, 1) for g in blocks.heads if not _why_heads_stay(workload, g) and not set(g.producers) & set(step.keep)]
    if step.widths:
        widths = _explicit(step, hidden + heads)
    else:
        widths = {g.id: kept_width(g.width, step.mlp_ratio, unit, g.blocks) for g, unit in hidden if step.mlp_ratio}
        widths |= {g.id: kept_width(g.width, step.head_ratio, 1) for g, _ in heads if step.head_ratio}
    return {group: width for group, width in widths.items() if width < blocks.analysis.channels.width[group]}


def _explicit(step: PruneTransformer, groups: list[tuple[ChannelGroup, int]]) -> dict[int, int]:
    """Return the widths that the step lists, or those a part of the way there, rounded up."""
    wanted, found = dict(step.widths), {}
    for group, unit in groups:
        width = wanted.pop(group.producers[0], group.width)
        whole = unit * group.blocks
        between = ceil((group.width - step.part * (group.width - width)) / whole - 1e-9) * whole
        found[group.id] = width if step.part == 1 else max(width, min(group.width, between))
        if width > group.width:
            wanted[group.producers[0]] = width
    if wanted:
        raise NotApplicable(
            f"prune_transformer: {next(iter(wanted))} does not make so many heads or units",
            remedy="The widths belong to another network; leave them out to have them found anew.",
        )
    return found


def pinned(workload: Workload, blocks: Blocks) -> set[str]:
    """Return why some groups keep their width."""
    reasons = {group.why_not for group in blocks.hidden} | {_why_heads_stay(workload, group) for group in blocks.heads}
    return reasons - {""}


def _why_heads_stay(workload: Workload, group: ChannelGroup) -> str:
    """Return the reason, "" where heads may go; torch's own module computes their width from the embedding's."""
    if group.prunable and any(workload.modules.get(path) == "MultiheadAttention" for path in group.producers):
        return "the heads of torch's MultiheadAttention fill the embedding"
    return group.why_not
