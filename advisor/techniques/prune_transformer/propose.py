"""Settings of transformer pruning worth trying."""

from advisor.schema import ExecPath
from advisor.techniques.alignment import channel_multiple
from advisor.techniques.knowledge import load_techniques
from advisor.techniques.prune_transformer.preview import preview
from advisor.techniques.prune_transformer.step import PruneTransformer
from advisor.techniques.registry import Case
from advisor.techniques.transformer import attention_projections


def propose(case: Case, path: ExecPath) -> tuple[PruneTransformer, ...]:
    """Propose narrower MLPs, and fewer heads where heads can go."""
    if not attention_projections(case.workload):
        return ()
    settings = load_techniques().techniques["prune_transformer"]
    multiple = channel_multiple(case.device, path)
    kept: list[PruneTransformer] = []
    seen = {(case.workload.params, case.workload.macs)}
    for mlp, heads in zip(settings.figures("mlp_ratios"), settings.figures("head_ratios"), strict=True):
        step = PruneTransformer(mlp_ratio=mlp, head_ratio=heads, round_to=multiple)
        after = preview(step, case.workload)
        if (after.params, after.macs) not in seen:
            seen.add((after.params, after.macs))
            kept.append(step)
    return tuple(kept)
