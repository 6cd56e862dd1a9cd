"""Shares of blocks worth dropping."""

from advisor.schema import ExecPath, Goal, Metric
from advisor.techniques.knowledge import load_techniques
from advisor.techniques.prune_blocks.finding import removable_blocks
from advisor.techniques.prune_blocks.step import PruneBlocks
from advisor.techniques.registry import Case
from advisor.techniques.summaries import is_summary


def _worth_a_try(goal: Goal) -> bool:
    """Whether latency at batch 1 is all that counts, and there is training to recover."""
    limited = goal.bound(Metric.ACCURACY) is not None
    return goal.kind == "latency" and goal.batch == 1 and goal.budget in ("finetune", "train") and not limited


def propose(case: Case, path: ExecPath) -> tuple[PruneBlocks, ...]:
    """Propose to drop a share of the blocks where latency is asked for and there are enough of them to choose from.

    No published figures tell what it costs in accuracy, so it is no advice where accuracy is limited or weighs as much
    as the rest; PR-20 says when it is worth a try.
    """
    settings = load_techniques().techniques["prune_blocks"]
    if not _worth_a_try(case.goal) or is_summary(case.workload):
        return ()
    if len(removable_blocks(case.workload)) < settings.figures("fewest_blocks")[0]:
        return ()
    return tuple(PruneBlocks(ratio=ratio) for ratio in settings.figures("ratios"))
