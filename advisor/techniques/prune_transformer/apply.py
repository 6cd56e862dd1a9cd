"""Cutting attention heads and hidden units of the MLPs out of a copy of the module.

The widths come from `preview.kept_widths`, so that preview and cut agree; recovery is not done here.
"""

import copy
from typing import Any

from advisor.errors import NotApplicable
from advisor.schema import Workload
from advisor.techniques.channels import ChannelGroup
from advisor.techniques.recovery import in_rounds, training_of
from advisor.techniques.subject import Change, Need, Stage, Subject
from advisor.techniques.transformer import Blocks, transformer_blocks

from .preview import kept_widths, pinned, preview
from .step import PruneTransformer

STAGE: Stage = "torch"
_BY = {"l2": "of least norm", "taylor": "of least effect on the loss (Taylor)", "random": "drawn at random"}


def needs(step: PruneTransformer) -> Need:
    """Tell which data the step cannot do without: labels for training and gradients, none for the cut itself."""
    return "labels" if step.epochs > 0 or step.criterion == "taylor" else "nothing"


def training(step: PruneTransformer) -> dict[str, Any]:
    """Return how the training after a cut differs from fine-tuning."""
    return training_of(step.recovery, step.epochs)


def resolve(step: PruneTransformer, subject: Subject) -> PruneTransformer:
    """Return the step with the widths that its rounds lead to; one round says them already."""
    if step.widths or step.iterations == 1:
        return step
    workload = _workload(subject)
    blocks = transformer_blocks(workload)
    widths = kept_widths(step, workload, blocks)
    if not widths:
        raise _nothing(step, pinned(workload, blocks))
    first = {group.id: group.producers[0] for group in (*blocks.heads, *blocks.hidden)}
    return step.model_copy(update={"widths": tuple((first[group], width) for group, width in widths.items())})


def rounds(step: PruneTransformer) -> tuple[PruneTransformer, ...]:
    """Return one step a round: each goes a part of the way that is left, and ranks heads and units anew."""
    return in_rounds(step)


def apply(step: PruneTransformer, subject: Subject) -> Change:
    """Keep the most important heads and units, as many as planned; the details hold widths by first layer."""
    workload = _workload(subject)
    blocks = transformer_blocks(workload)
    widths = kept_widths(step, workload, blocks)
    if not widths and step.part == 1:
        raise _nothing(step, pinned(workload, blocks))
    heads, hidden = (_shrunk(groups, widths) for groups in (blocks.heads, blocks.hidden))
    said = [_said(groups, widths, what) for groups, what in ((heads, "heads"), (hidden, "hidden units")) if groups]
    return Change(
        done=f"cut {' and '.join(said) or 'nothing in this round'}, those {_BY[step.criterion]}",
        module=_made(step, subject, workload, blocks, widths, heads),
        details={"heads": _details(heads, widths), "hidden": _details(hidden, widths)},
    )


def _made(
    step: PruneTransformer,
    subject: Subject,
    workload: Workload,
    blocks: Blocks,
    widths: dict[int, int],
    heads: tuple[ChannelGroup, ...],
) -> Any:
    from advisor.techniques.checking import can_be_silenced, check_answers, check_built
    from advisor.techniques.cutting import cut, silence
    from advisor.techniques.places import kept_places, strongest

    from .heads import count_heads

    module = copy.deepcopy(subject.module).cpu().eval()
    if not widths:
        return module
    scores = _scores(step, module, subject, blocks, widths)
    kept = {
        g.id: strongest(scores[g.id], widths[g.id], g.blocks) for g in (*blocks.heads, *blocks.hidden) if g.id in widths
    }
    places = kept_places(blocks.analysis, kept)
    module.zero_grad(set_to_none=True)
    for group in heads:
        count_heads(module, group, widths[group.id])
    cut(module, places)
    check_built("prune_transformer", module, subject.input_shape, preview(step, workload))
    if can_be_silenced(workload, blocks.analysis, widths):
        silenced = copy.deepcopy(subject.module).cpu().eval()
        silence(silenced, places)
        check_answers("prune_transformer", module, silenced, subject.input_shape)
    return module


def _scores(
    step: PruneTransformer, module: Any, subject: Subject, blocks: Blocks, widths: dict[int, int]
) -> dict[int, Any]:
    from advisor.techniques.gradients import add_gradients
    from advisor.techniques.places import importance

    if step.criterion == "taylor":
        add_gradients(module, subject)
    return importance(module, blocks.analysis, widths, step.criterion, subject.seed)


def _workload(subject: Subject) -> Workload:
    if subject.module is None or subject.workload is None:
        raise NotApplicable("prune_transformer needs the torch module, not an ONNX file")
    return subject.workload


def _nothing(step: PruneTransformer, reasons: set[str]) -> NotApplicable:
    return NotApplicable(
        f"prune_transformer finds nothing to cut: {step.label}, rounded to {step.round_to}",
        where="; ".join(sorted(reasons)[:3]),
        remedy="Ask for larger ratios or a smaller rounding, or choose another plan.",
    )


def _shrunk(groups: tuple[ChannelGroup, ...], widths: dict[int, int]) -> tuple[ChannelGroup, ...]:
    return tuple(group for group in groups if group.id in widths)


def _said(groups: tuple[ChannelGroup, ...], widths: dict[int, int], what: str) -> str:
    before = sum(group.width for group in groups)
    return f"{before - sum(widths[group.id] for group in groups)} of {before} {what}"


def _details(groups: tuple[ChannelGroup, ...], widths: dict[int, int]) -> dict[str, Any]:
    return {group.producers[0]: [group.width, widths[group.id]] for group in groups}
