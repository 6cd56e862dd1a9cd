"""Cutting channels out of a copy of the module, whole groups of coupled layers at a time (DepGraph, Torch-Pruning).

The widths come from `preview.pruning_widths`, so that preview and cut agree; recovery is not done here.
"""

import copy
from collections import Counter
from typing import Any

from advisor.errors import NotApplicable
from advisor.schema import Workload
from advisor.techniques.channels import channel_groups
from advisor.techniques.propagation import analyse
from advisor.techniques.recovery import in_rounds, training_of
from advisor.techniques.subject import Change, Need, Stage, Subject

from .allocation import Ranked
from .criteria import scorer
from .groups import cut, out_widths, rank
from .preview import preview, pruning_widths
from .spans import cut_spans, rank_spans
from .step import SHARES, PruneChannels

STAGE: Stage = "torch"


def needs(step: PruneChannels) -> Need:
    """Tell which data the step cannot do without; recovery by batch-norm statistics is welcome but optional."""
    return "labels" if step.epochs > 0 or step.criterion == "taylor" else "nothing"


def training(step: PruneChannels) -> dict[str, Any]:
    """Return how the training after a cut differs from fine-tuning."""
    return training_of(step.recovery, step.epochs)


def resolve(step: PruneChannels, subject: Subject) -> PruneChannels:
    """Return the step with the widths that it leads to on this network.

    A uniform cut of channels in one round says them already and is returned as it is.
    """
    plain = step.allocation == "uniform" and step.target == "channels" and step.iterations == 1
    if step.widths or plain:
        return step
    workload = _workload(subject)
    ranked = None if step.allocation == "uniform" else _ranked(step, subject, workload)
    widths = pruning_widths(workload, step, ranked)
    if not widths:
        raise _nothing(step, workload)
    return step.model_copy(update={"widths": tuple(widths.items())})


def rounds(step: PruneChannels) -> tuple[PruneChannels, ...]:
    """Return one step a round: each goes a part of the way that is left, and ranks the channels anew."""
    return in_rounds(step)


def apply(step: PruneChannels, subject: Subject) -> Change:
    """Cut every layer to its planned width, keeping the most important channels of each group."""
    workload = _workload(subject)
    step = resolve(step, subject)
    widths = pruning_widths(workload, step)
    if not widths and step.part == 1:
        raise _nothing(step, workload)
    before = out_widths(subject.module, widths)
    removed = sum(before.values()) - sum(widths.values())
    return Change(
        done=f"cut {removed} of {sum(before.values())} channels in {len(widths)} layers by {step.criterion}: "
        + _removed(step, workload),
        module=made(step, subject, widths) if widths else copy.deepcopy(subject.module).cpu().eval(),
        details={"widths": {path: [before[path], width] for path, width in widths.items()}},
    )


def made(step: PruneChannels, subject: Subject, widths: dict[str, int]) -> Any:
    """Return a copy of the module cut to `widths`, which are those of the step's preview, by module path.

    By Torch-Pruning's graph; where that does not know the network, by the analysis that made the preview.
    """
    module = copy.deepcopy(subject.module).cpu().eval()
    try:
        cut(module, subject.input_shape, widths, scorer(step, module, subject))
    except NotApplicable as first:
        try:
            return cut_spans(step, subject, widths)
        except NotApplicable as second:
            raise second from first
    return module


def _ranked(step: PruneChannels, subject: Subject, workload: Workload) -> dict[int, Ranked]:
    analysis = analyse(workload)
    groups = tuple(group for group in channel_groups(workload, analysis) if group.prunable)
    module = copy.deepcopy(subject.module).cpu().eval()
    try:
        return rank(module, subject.input_shape, groups, scorer(step, module, subject))
    except NotApplicable:
        return rank_spans(step, module, subject, analysis, groups)


def _removed(step: PruneChannels, workload: Workload) -> str:
    """Name what went of the whole network, and what was asked where that is something else."""
    after = preview(step, workload)
    gone = {"macs": 1 - after.macs / workload.macs, "params": 1 - after.params / workload.params}
    said = " and ".join(f"{share:.0%} of {SHARES[name]}" for name, share in gone.items()) + " removed"
    if step.target == "channels" or step.part < 1 or abs(gone[step.target] - step.ratio) < 0.005:
        return said
    return f"{said}, {step.ratio:.0%} of {SHARES[step.target]} asked; rounded widths come no nearer"


def _workload(subject: Subject) -> Workload:
    if subject.module is None or subject.workload is None:
        raise NotApplicable("prune_channels needs the torch module, not an ONNX file")
    return subject.workload


def _nothing(step: PruneChannels, workload: Workload) -> NotApplicable:
    reasons = Counter(group.why_not for group in channel_groups(workload) if not group.prunable)
    return NotApplicable(
        f"prune_channels finds nothing to cut at {step.ratio:.0%} of {SHARES[step.target]} rounded to {step.round_to}",
        where="; ".join(f"{why} (groups: {count})" for why, count in reasons.most_common(3)),
        remedy="Ask for a larger ratio or a smaller rounding.",
    )
