"""Torch-Pruning's side of the groups: finding, scoring and cutting them; imports torch lazily."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from advisor.errors import NotApplicable
from advisor.techniques.channels import ChannelGroup
from advisor.techniques.cutting import forget_caches
from advisor.techniques.rehearsal import rehearse

from .allocation import Ranked
from .criteria import Score

# What Torch-Pruning raises where a network couples channels in a way that it does not know.
_LOST = (ArithmeticError, LookupError, ValueError, RuntimeError, AssertionError, TypeError, AttributeError)


def rank(module: Any, input_shape: tuple[int, ...], groups: Iterable[ChannelGroup], score: Score) -> dict[int, Ranked]:
    """Return scores and kinds by group; groups that Torch-Pruning cannot follow raise NotApplicable."""
    try:
        graph = _graph(module, input_shape)
        return {group.id: _ranked(graph, module, group, score) for group in groups}
    except _LOST as error:
        raise lost(error) from error


def _ranked(graph: Any, module: Any, group: ChannelGroup, score: Score) -> Ranked:
    found = _whole(graph, module, group.producers[0])
    scores = np.nan_to_num(np.asarray(score(found).detach().double()))  # where all are zero, their mean divides by zero
    if len(scores) != group.width:
        raise ValueError(f"{group.producers[0]} has no score for each of its {group.width} channels")
    return Ranked(scores.reshape(group.blocks, -1).mean(0), _kind(graph, found))


def _kind(graph: Any, group: Any) -> str:
    """Return what layers a group joins, and from which side: the tag by which Torch-Pruning tells isomorphic groups."""
    sides = []
    for dep, _ in group:
        out = "out" if graph.is_out_channel_pruning_fn(dep.handler) else "in"
        sides.append(f"{type(dep.source.module).__name__}>{type(dep.target.module).__name__}.{out}")
    return " ".join(sides)


def cut(module: Any, input_shape: tuple[int, ...], widths: dict[str, int], score: Score) -> None:
    """Cut `module` in place; `score` gives one importance for each output channel of a group's root layer."""
    try:
        _cut_groups(module, input_shape, widths, score)
    except _LOST as error:
        raise lost(error) from error
    module.zero_grad(set_to_none=True)
    forget_caches(module)
    _check(module, input_shape, widths)


def lost(error: Exception) -> NotApplicable:
    """Return the refusal of a network whose couplings Torch-Pruning does not know."""
    return NotApplicable(
        f"prune_channels: Torch-Pruning cannot follow this network: {error}", remedy="Choose a plan without pruning."
    )


def _graph(module: Any, input_shape: tuple[int, ...]) -> Any:
    import torch
    import torch_pruning as tp

    with torch.enable_grad():
        return tp.DependencyGraph().build_dependency(module, example_inputs=torch.zeros(input_shape))


def _whole(graph: Any, module: Any, path: str) -> Any:
    layer = module.get_submodule(path)
    return graph.get_pruning_group(layer, _remover(layer), idxs=list(range(out_width(layer))))


def _remover(layer: Any) -> Any:
    import torch
    import torch_pruning as tp

    return tp.prune_linear_out_channels if isinstance(layer, torch.nn.Linear) else tp.prune_conv_out_channels


def _cut_groups(module: Any, input_shape: tuple[int, ...], widths: dict[str, int], score: Score) -> None:
    graph = _graph(module, input_shape)
    for path, width in widths.items():
        layer = module.get_submodule(path)
        size = out_width(layer)
        if size <= width:  # cut together with an earlier layer of its group
            continue
        group = _whole(graph, module, path)
        doomed = _least(score(group), size - width, _blocks(group))
        graph.get_pruning_group(layer, _remover(layer), idxs=doomed).prune()


def _least(scores: Any, count: int, blocks: int) -> list[int]:
    """Return the `count` channels of least importance, equally many at equal places in each of `blocks` blocks."""
    if blocks <= 1 or count % blocks or len(scores) % blocks:
        return sorted(int(i) for i in scores.argsort()[:count])
    size = len(scores) // blocks
    local = scores.view(blocks, size).mean(dim=0).argsort()[: count // blocks]
    return sorted(int(i) + block * size for block in range(blocks) for i in local)


def _blocks(group: Any) -> int:
    """Return the largest number of convolution groups (depthwise ones aside) that a pruning group runs through."""
    import torch

    found = 1
    for dep, _ in group:
        layer = dep.target.module
        if isinstance(layer, torch.nn.modules.conv._ConvNd) and 1 < layer.groups < layer.out_channels:
            found = max(found, layer.groups)
    return found


def out_width(layer: Any) -> int:
    """Return how many channels or features a layer gives."""
    return int(getattr(layer, "out_channels", 0) or getattr(layer, "out_features", 0))


def out_widths(module: Any, paths: Iterable[str]) -> dict[str, int]:
    """Return how many channels the layers at these paths give."""
    return {path: out_width(module.get_submodule(path)) for path in paths}


def _check(module: Any, input_shape: tuple[int, ...], widths: dict[str, int]) -> None:
    """Refuse a cut that left another width than planned or a network that no longer runs."""
    wrong = {path: width for path, width in out_widths(module, widths).items() if width != widths[path]}
    if wrong:
        path, width = next(iter(wrong.items()))
        raise NotApplicable(
            f"prune_channels: {path} ended with {width} channels instead of {widths[path]}",
            remedy="Its group is coupled in a way that this version does not follow; choose a plan without pruning.",
        )
    rehearse(
        module, input_shape, "prune_channels: the cut network does not run",
        remedy="Its forward pass relies on fixed widths; choose a plan without pruning.",
    )  # fmt: skip
