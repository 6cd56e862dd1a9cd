"""What a network looks like without some of its blocks."""

from advisor.errors import NotApplicable
from advisor.schema import Workload
from advisor.techniques.prune_blocks.finding import Block, removable_blocks, without
from advisor.techniques.prune_blocks.step import PruneBlocks
from advisor.techniques.summaries import refuse_summary


def preview(step: PruneBlocks, workload: Workload) -> Workload:
    """Leave out the blocks that the step names, or, before they are known, as many evenly spread ones."""
    refuse_summary(workload, "dropping blocks")
    blocks = candidates(step, workload)
    if step.blocks:
        return without(workload, named(step, blocks))
    count = how_many(step, blocks)
    spread = [blocks[(2 * i + 1) * len(blocks) // (2 * count)] for i in range(count)]
    note = "which blocks go is measured on the network itself; here they are spread evenly" if spread else ""
    return without(workload, spread, note)


def candidates(step: PruneBlocks, workload: Workload) -> tuple[Block, ...]:
    """Return the blocks that may go."""
    return tuple(block for block in removable_blocks(workload) if block.path not in step.keep)


def how_many(step: PruneBlocks, blocks: tuple[Block, ...]) -> int:
    """Return how many of these blocks go: the share, to the nearest whole number, which may be none."""
    return int(step.ratio * len(blocks) + 0.5)


def named(step: PruneBlocks, blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Return the blocks that the step names; refuse a name that is no such block."""
    known = {block.path: block for block in blocks}
    for path in step.blocks:
        if path not in known:
            raise NotApplicable(
                f"prune_blocks: {path} is no block that can go",
                where=f"there are {', '.join(known) or 'none'}",
                remedy="Name others, or none to have them found.",
            )
    return tuple(known[path] for path in step.blocks)
