"""Settings of channel pruning worth trying."""

from advisor.schema import CONV_KINDS, ExecPath
from advisor.techniques.alignment import channel_multiple
from advisor.techniques.knowledge import load_techniques
from advisor.techniques.prune_channels.preview import pruning_widths
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.registry import Case


def propose(case: Case, path: ExecPath) -> tuple[PruneChannels, ...]:
    """Propose a few ratios that cut something after rounding; without labels also a small one without training."""
    if not any(op.kind in CONV_KINDS for op in case.workload.ops) or case.facts.get("model.family") == "vit":
        return ()
    settings = load_techniques().techniques["prune_channels"]
    multiple = channel_multiple(case.device, path)
    steps = [PruneChannels(ratio=ratio, round_to=multiple) for ratio in settings.figures("ratios")]
    if case.goal.budget in ("none", "calibration"):
        untrained = settings.figures("untrained_ratios")
        steps += [PruneChannels(ratio=ratio, round_to=multiple, epochs=0) for ratio in untrained]
    seen: list[tuple[int, dict[str, int]]] = []
    kept = []
    for step in steps:
        outcome = (step.epochs, pruning_widths(case.workload, step))
        if outcome[1] and outcome not in seen:
            kept.append(step)
            seen.append(outcome)
    return tuple(kept)
