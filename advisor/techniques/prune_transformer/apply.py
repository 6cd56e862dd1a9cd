"""Cutting attention heads and hidden units of the MLPs out of a copy of the module.

The widths come from `preview.kept_widths`, so that preview and cut agree; recovery is not done here.
"""

import copy
from typing import Any

from advisor.errors import NotApplicable
from advisor.techniques.channels import ChannelGroup
from advisor.techniques.subject import Change, Need, Stage, Subject
from advisor.techniques.transformer import transformer_blocks

from .preview import kept_widths, pinned, preview
from .step import PruneTransformer

STAGE: Stage = "torch"


def needs(step: PruneTransformer) -> Need:
    """Tell which data the step cannot do without: labels for fine-tuning, none for the cut itself."""
    return "labels" if step.epochs > 0 else "nothing"


def apply(step: PruneTransformer, subject: Subject) -> Change:
    """Keep the heads and units of largest norm, as many as planned; the details hold widths by first layer."""
    from .checks import can_be_silenced, check_answers, check_built
    from .cutting import count_heads, cut, silence
    from .places import kept_places, most_important

    if subject.module is None or subject.workload is None:
        raise NotApplicable("prune_transformer needs the torch module, not an ONNX file")
    blocks = transformer_blocks(subject.workload)
    widths = kept_widths(step, subject.workload, blocks)
    if not widths:
        raise _nothing(step, pinned(subject.workload, blocks))
    module = copy.deepcopy(subject.module).cpu().eval()
    places = kept_places(blocks.analysis, most_important(module, blocks.analysis, widths))
    heads, hidden = (_shrunk(groups, widths) for groups in (blocks.heads, blocks.hidden))
    for group in heads:
        count_heads(module, group, widths[group.id])
    cut(module, places)
    check_built(module, subject.input_shape, preview(step, subject.workload))
    if can_be_silenced(subject.workload, blocks.analysis, widths):
        silenced = copy.deepcopy(subject.module).cpu().eval()
        silence(silenced, places)
        check_answers(module, silenced, subject.input_shape)
    said = [_said(groups, widths, what) for groups, what in ((heads, "heads"), (hidden, "hidden units")) if groups]
    return Change(
        done=f"cut {' and '.join(said)}, those of least norm",
        module=module,
        details={"heads": _details(heads, widths), "hidden": _details(hidden, widths)},
    )


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
