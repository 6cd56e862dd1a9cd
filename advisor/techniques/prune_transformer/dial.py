"""Pruning of transformers from weak to strong."""

from advisor.techniques.prune_transformer.step import PruneTransformer

SHARES = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5)  # of what the step asks for, heads and hidden units alike
MOST = 0.9


def dial(step: PruneTransformer) -> tuple[PruneTransformer, ...]:
    """Return the step with fewer and more heads and hidden units removed."""
    return tuple(
        step
        if share == 1
        else step.model_copy(
            update={name: min(MOST, round(share * getattr(step, name), 3)) for name in ("mlp_ratio", "head_ratio")}
        )
        for share in SHARES
    )
