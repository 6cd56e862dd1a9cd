"""How much each channel weighs, which stay, and where they sit in the weights of a module; changes nothing.

Works on the spans of the torch-free analysis, so that what is cut is what the preview said.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from advisor.errors import NotApplicable

from .layouts import Segment
from .trace import Analysis

Places = dict[str, dict[int, Any]]  # by weight and axis: the indices along that axis
CRITERIA = ("l2", "l1", "taylor", "bn_scale", "random")


def importance(
    module: Any, analysis: Analysis, groups: Collection[int], criterion: str, seed: int = 0
) -> dict[int, Any]:
    """Return one score a channel by group, summed over all parameters that hold the channel.

    `l2`, `l1`: squares or sizes of the weights; `bn_scale`: sizes of the weights of norms alone (those by `l1` where a
    group has none); `taylor`: sizes of gradient times weight, of gradients that the parameters already have (Molchanov
    et al. 2019); `random`: a control. Channels of one group can be compared, those of different groups cannot.
    """
    import torch

    wide = {group: analysis.channels.width[group] for group in groups}
    if criterion == "random":
        generator = torch.Generator().manual_seed(seed)
        return {group: torch.rand(width, generator=generator, dtype=torch.float64) for group, width in wide.items()}
    parameters = dict(module.named_parameters())  # running statistics of a norm say nothing of importance
    found: dict[int, Any] = {}
    norms: dict[int, Any] = {}
    for name, axis, rows, divisor in held(analysis, groups):
        if name not in parameters:
            continue
        row = _sizes(parameters[name], criterion).movedim(axis, 0)
        row = row.reshape(len(row), -1).sum(1).repeat(divisor)
        for group, segment, start in rows:
            if group not in wide:
                continue
            share = row[start : start + segment.places].view(segment.width, -1).sum(1)
            found[group] = found.get(group, 0) + share
            if parameters[name].dim() == 1 and not name.endswith(".bias"):
                norms[group] = norms.get(group, 0) + share
    return {**found, **norms} if criterion == "bn_scale" else found


def _sizes(parameter: Any, criterion: str) -> Any:
    values = parameter.detach().double()
    if criterion == "taylor":
        return (values * parameter.grad.double()).abs() if parameter.grad is not None else values * 0
    return values.square() if criterion == "l2" else values.abs()


def strongest(scores: Any, width: int, blocks: int = 1) -> Any:
    """Return the `width` channels of largest score in ascending order, the same ones in each of `blocks` blocks."""
    import torch

    size = len(scores) // blocks
    local = scores.view(blocks, size).mean(0).topk(width // blocks).indices.sort().values
    return torch.cat([local + block * size for block in range(blocks)])


def kept_places(analysis: Analysis, kept: Mapping[int, Any]) -> Places:
    """Return the places that stay along every axis of a weight that holds channels of these groups."""
    import torch

    found: Places = {}
    for name, axis, rows, divisor in held(analysis, kept):
        parts = []
        for group, segment, start in rows:
            stay = kept[group] if group in kept else torch.arange(segment.width)
            parts.append((start + stay[:, None] * segment.repeat + torch.arange(segment.repeat)).flatten())
        stay = torch.cat(parts)
        if divisor > 1:  # the axis is as long as one group's channels, and all groups keep the same ones
            stay = stay[: len(stay) // divisor]
            size = sum(segment.places for _, segment, _ in rows) // divisor
            if int(stay.max()) >= size:
                raise NotApplicable(
                    f"pruning: {name} reads its channels in groups that would lose different ones",
                    remedy="Choose a plan without pruning of it.",
                )
        found.setdefault(name, {})[axis] = stay
    return found


def held(analysis: Analysis, groups: Collection[int]) -> Iterator[tuple[str, int, list[tuple[int, Segment, int]], int]]:
    """Yield every weight and axis that holds channels of these groups.

    With all its rows (group, segment and start), and into how many groups of channels the axis is divided.
    """
    for name, axes in analysis.spans.items():
        for axis, span in axes.items():
            rows, start = [], 0
            for segment in span.segments:
                rows.append((analysis.channels.root(segment.variable), segment, start))
                start += segment.places
            if any(group in groups for group, _, _ in rows):
                yield name, axis, rows, span.divisor
