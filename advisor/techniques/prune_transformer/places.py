"""Which heads and hidden units stay, and where they sit in the weights; ranks by norm, changes nothing."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from advisor.errors import NotApplicable
from advisor.techniques.layouts import Segment
from advisor.techniques.trace import Analysis

Places = dict[str, dict[int, Any]]  # by weight and axis: the indices along that axis


def most_important(module: Any, analysis: Analysis, widths: Mapping[int, int]) -> dict[int, Any]:
    """Return the channels of each group that stay: those of largest L2 norm over all parameters that hold them."""
    import torch

    parameters = dict(module.named_parameters())  # running statistics of a norm say nothing of importance
    scores = {group: torch.zeros(analysis.channels.width[group], dtype=torch.float64) for group in widths}
    for name, axis, rows in _held(analysis, widths):
        if name not in parameters:
            continue
        row = parameters[name].detach().movedim(axis, 0)
        squares = row.double().square().reshape(len(row), -1).sum(1)
        for group, segment, start in rows:
            if group in widths:
                scores[group] += squares[start : start + segment.places].view(segment.width, -1).sum(1)
    return {group: scores[group].topk(width).indices.sort().values for group, width in widths.items()}


def kept_places(analysis: Analysis, kept: Mapping[int, Any]) -> Places:
    """Return the places that stay along every axis of a weight that holds channels of these groups."""
    import torch

    found: Places = {}
    for name, axis, rows in _held(analysis, kept):
        parts = []
        for group, segment, start in rows:
            stay = kept[group] if group in kept else torch.arange(segment.width)
            parts.append((start + stay[:, None] * segment.repeat + torch.arange(segment.repeat)).flatten())
        found.setdefault(name, {})[axis] = torch.cat(parts)
    return found


def _held(analysis: Analysis, groups: Collection[int]) -> Iterator[tuple[str, int, list[tuple[int, Segment, int]]]]:
    """Yield every weight and axis that holds channels of these groups, with all its rows: group, segment and start."""
    for name, axes in analysis.spans.items():
        for axis, span in axes.items():
            rows, start = [], 0
            for segment in span.segments:
                rows.append((analysis.channels.root(segment.variable), segment, start))
                start += segment.places
            if not any(group in groups for group, _, _ in rows):
                continue
            if span.divisor != 1:
                raise NotApplicable(
                    f"prune_transformer: {name} reads its channels in groups",
                    remedy="Choose a plan without pruning of heads and MLP width.",
                )
            yield name, axis, rows
