"""Cutting channels out of a copy of the module, whole groups of coupled layers at a time (DepGraph, Torch-Pruning).

The widths come from `preview.pruning_widths`, so that preview and cut agree; recovery is not done here.
"""

import copy
from collections.abc import Callable, Iterator
from typing import Any

from advisor.errors import NotApplicable
from advisor.techniques.prune_channels.preview import pruning_widths
from advisor.techniques.rehearsal import rehearse
from advisor.techniques.subject import Change, Need, Stage, Subject

from .step import PruneChannels

STAGE: Stage = "torch"
TAYLOR_BATCHES = 8  # labelled batches whose gradients rank channels


def needs(step: PruneChannels) -> Need:
    """Tell which data the step cannot do without; recovery by batch-norm statistics is welcome but optional."""
    return "labels" if step.epochs > 0 or step.criterion == "taylor" else "nothing"


def apply(step: PruneChannels, subject: Subject) -> Change:
    """Cut every layer to its planned width, keeping the most important channels of each group."""
    if subject.module is None or subject.workload is None:
        raise NotApplicable("prune_channels needs the torch module, not an ONNX file")
    widths = pruning_widths(subject.workload, step)
    if not widths:
        raise NotApplicable(
            f"prune_channels finds nothing to cut at {step.ratio:.0%} rounded to {step.round_to}",
            remedy="Ask for a larger ratio or a smaller rounding.",
        )
    module = copy.deepcopy(subject.module).cpu().eval()
    before = _out_widths(module, widths)
    cut(module, subject.input_shape, widths, _importance(step, module, subject))
    removed = sum(before.values()) - sum(widths.values())
    return Change(
        done=f"cut {removed} of {sum(before.values())} channels in {len(widths)} layers by {step.criterion}",
        module=module,
        details={"widths": {path: [before[path], width] for path, width in widths.items()}},
    )


def cut(module: Any, input_shape: tuple[int, ...], widths: dict[str, int], score: Callable[[Any], Any]) -> None:
    """Cut `module` in place; `score` gives one importance for each output channel of a group's root layer."""
    try:
        _cut_groups(module, input_shape, widths, score)
    except (ArithmeticError, LookupError, ValueError, RuntimeError, AssertionError) as error:
        raise NotApplicable(
            f"prune_channels: Torch-Pruning cannot follow this network: {error}",
            remedy="Choose a plan without pruning.",
        ) from error
    _check(module, input_shape, widths)


def _cut_groups(module: Any, input_shape: tuple[int, ...], widths: dict[str, int], score: Callable[[Any], Any]) -> None:
    import torch
    import torch_pruning as tp

    with torch.enable_grad():
        graph = tp.DependencyGraph().build_dependency(module, example_inputs=torch.zeros(input_shape))
    for path, width in widths.items():
        layer = module.get_submodule(path)
        size = _out_width(layer)
        if size <= width:  # cut together with an earlier layer of its group
            continue
        remove = tp.prune_linear_out_channels if isinstance(layer, torch.nn.Linear) else tp.prune_conv_out_channels
        group = graph.get_pruning_group(layer, remove, idxs=list(range(size)))
        doomed = _least(score(group), size - width, _blocks(graph, group))
        graph.get_pruning_group(layer, remove, idxs=doomed).prune()


def _least(scores: Any, count: int, blocks: int) -> list[int]:
    """Return the `count` channels of least importance, equally many at equal places in each of `blocks` blocks."""
    if blocks <= 1 or count % blocks or len(scores) % blocks:
        return sorted(int(i) for i in scores.argsort()[:count])
    size = len(scores) // blocks
    local = scores.view(blocks, size).mean(dim=0).argsort()[: count // blocks]
    return sorted(int(i) + block * size for block in range(blocks) for i in local)


def _blocks(graph: Any, group: Any) -> int:
    """Return the largest number of convolution groups (depthwise ones aside) that a pruning group runs through."""
    import torch

    found = 1
    for dep, _ in group:
        layer = dep.target.module
        if isinstance(layer, torch.nn.modules.conv._ConvNd) and 1 < layer.groups < layer.out_channels:
            found = max(found, layer.groups)
    return found


def _importance(step: PruneChannels, module: Any, subject: Subject) -> Callable[[Any], Any]:
    import torch
    import torch_pruning as tp

    if step.criterion == "random":
        generator = torch.Generator().manual_seed(subject.seed)
        return lambda group: torch.rand(len(group[0].idxs), generator=generator)
    if step.criterion == "taylor":
        if subject.labelled is None:
            raise NotApplicable("prune_channels by taylor needs labelled images")
        _gradients(module, subject.labelled())
        score: Callable[[Any], Any] = tp.importance.GroupTaylorImportance()
        return score
    score = tp.importance.GroupMagnitudeImportance(p=1 if step.criterion == "l1" else 2)
    return score


def _gradients(module: Any, batches: Iterator[tuple[Any, Any]]) -> None:
    """Accumulate the gradients of the loss over a few training batches."""
    import torch

    module.zero_grad()
    with torch.enable_grad():
        for _, (images, labels) in zip(range(TAYLOR_BATCHES), batches, strict=False):
            loss = torch.nn.functional.cross_entropy(module(torch.from_numpy(images)), torch.from_numpy(labels))
            loss.backward()  # type: ignore[no-untyped-call]


def _out_width(layer: Any) -> int:
    return int(getattr(layer, "out_channels", 0) or getattr(layer, "out_features", 0))


def _out_widths(module: Any, widths: dict[str, int]) -> dict[str, int]:
    return {path: _out_width(module.get_submodule(path)) for path in widths}


def _check(module: Any, input_shape: tuple[int, ...], widths: dict[str, int]) -> None:
    """Refuse a cut that left another width than planned or a network that no longer runs."""
    module.zero_grad(set_to_none=True)
    wrong = {path: width for path, width in _out_widths(module, widths).items() if width != widths[path]}
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
