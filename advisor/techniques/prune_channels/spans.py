"""Scoring and cutting by the project's own analysis of the network, where Torch-Pruning cannot follow it.

The answers of the result are compared with those of the original in which the cut channels are zero.
"""

import copy
from collections.abc import Iterable
from typing import Any

import numpy as np

from advisor.errors import NotApplicable
from advisor.techniques import checking, cutting
from advisor.techniques.channels import ChannelGroup, channel_groups
from advisor.techniques.gradients import add_gradients
from advisor.techniques.places import CRITERIA, importance, kept_places, strongest
from advisor.techniques.propagation import analyse
from advisor.techniques.subject import Subject
from advisor.techniques.trace import Analysis

from .allocation import Ranked
from .preview import preview
from .step import PruneChannels


def rank_spans(
    step: PruneChannels, module: Any, subject: Subject, analysis: Analysis, groups: Iterable[ChannelGroup]
) -> dict[int, Ranked]:
    """Return scores, divided by the mean of their group, and the kinds of layers that hold the channels."""
    groups = tuple(groups)
    scores = _scores(step, module, subject, analysis, groups)
    found = {}
    for group in groups:
        block = np.asarray(scores[group.id]).reshape(group.blocks, -1).mean(0)
        found[group.id] = Ranked(block / (block.mean() or 1.0), _kind(subject, group))
    return found


def _kind(subject: Subject, group: ChannelGroup) -> str:
    """Return the classes of the modules that touch a group, in order."""
    modules = subject.workload.modules if subject.workload is not None else {}
    return " ".join(modules.get(path, "") for path in group.members)


def _scores(
    step: PruneChannels, module: Any, subject: Subject, analysis: Analysis, groups: tuple[ChannelGroup, ...]
) -> dict[int, Any]:
    if step.criterion not in CRITERIA:
        raise NotApplicable(
            f"prune_channels by {step.criterion} needs Torch-Pruning, which cannot follow this network",
            remedy=f"Choose one of {', '.join(CRITERIA)}.",
        )
    if step.criterion == "taylor":
        add_gradients(module, subject)
    return importance(module, analysis, {g.id for g in groups}, step.criterion, subject.seed)


def cut_spans(step: PruneChannels, subject: Subject, widths: dict[str, int]) -> Any:
    """Return a copy of the subject's module cut to these widths by path, built and answering as planned."""
    workload = subject.workload
    if workload is None:
        raise NotApplicable("prune_channels needs the torch module, not an ONNX file")
    module = copy.deepcopy(subject.module).cpu().eval()
    analysis = analyse(workload)
    groups = tuple(g for g in channel_groups(workload, analysis) if any(path in widths for path in g.producers))
    scores = _scores(step, module, subject, analysis, groups)
    kept = {g.id: strongest(scores[g.id], widths[_made(g, widths)], g.blocks) for g in groups}
    places = kept_places(analysis, kept)
    module.zero_grad(set_to_none=True)
    cutting.cut(module, places)
    cutting.forget_caches(module)
    checking.check_built("prune_channels", module, subject.input_shape, preview(step, workload))
    if checking.can_be_silenced(workload, analysis, kept):
        silenced = copy.deepcopy(subject.module).cpu().eval()
        cutting.silence(silenced, places)
        checking.check_answers("prune_channels", module, silenced, subject.input_shape)
    return module


def _made(group: ChannelGroup, widths: dict[str, int]) -> str:
    return next(path for path in group.producers if path in widths)
