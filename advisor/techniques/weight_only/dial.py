"""Integer weights from weak to strong."""

from advisor.techniques.weight_only.step import WeightOnly


def dial(step: WeightOnly) -> tuple[WeightOnly, ...]:
    """Return eight bits, then four with fine groups, then the step as it is."""
    if step.bits == 8:
        return (step,)
    finer = step.model_copy(update={"group_size": 32})
    return tuple(dict.fromkeys((step.model_copy(update={"bits": 8, "group_size": 0}), finer, step)))
