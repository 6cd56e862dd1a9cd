"""How many channels each group keeps. Torch-free: rankings arrive as plain numbers.

Uniform cuts need no weights. Rankings over several groups (`global`, `isomorphic`) need the scores of all channels;
where there are none yet, the same share is taken from every group.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, gcd

import numpy as np
from numpy.typing import NDArray

from advisor.errors import NotApplicable
from advisor.schema import Workload
from advisor.techniques.channels import ChannelGroup, kept_width, narrowed
from advisor.techniques.knowledge import load_techniques
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.trace import Analysis

Widths = dict[int, int]  # by group: channels that stay
_HALVINGS = 24  # of the interval of shares; finer than one channel in any network


@dataclass(frozen=True)
class Ranked:
    """Scores of a group's channels (of one of its equal blocks), and what groups it may be compared with."""

    scores: NDArray[np.float64]
    kind: str


def allocate(
    step: PruneChannels,
    workload: Workload,
    analysis: Analysis,
    groups: tuple[ChannelGroup, ...],
    ranked: Mapping[int, Ranked] | None = None,
) -> Widths:
    """Return the new widths of the prunable groups among `groups`, also of those that stay as they are."""
    groups = tuple(group for group in groups if group.prunable and not set(group.producers) & set(step.keep))
    if step.widths:
        return _explicit(step, groups)
    if step.allocation != "uniform" and ranked:
        at = _by_rank(step, groups, ranked)
    else:
        at = _uniform(step, groups)
        if step.target == "channels":
            return at(step.ratio)

    def removed(widths: Widths) -> float:
        return removed_share(step.target, workload, analysis, groups, widths)

    return nearest(at, removed, step.ratio)


def removed_share(
    target: str, workload: Workload, analysis: Analysis, groups: tuple[ChannelGroup, ...], widths: Widths
) -> float:
    """Return the share of channels (of these groups), MACs or parameters (of the network) that the widths remove."""
    if target == "channels":
        total = sum(group.width for group in groups)
        return 1 - sum(widths.get(group.id, group.width) for group in groups) / total if total else 0.0
    after = narrowed(workload, analysis, widths)
    before, left = (workload.macs, after.macs) if target == "macs" else (workload.params, after.params)
    return 1 - left / before if before else 0.0


def nearest(at: Callable[[float], Widths], removed: Callable[[Widths], float], wanted: float) -> Widths:
    """Return the widths whose removed share is nearest to the wanted one; `at` must not grow with its argument."""
    low, high = 0.0, 1.0 - 1e-9
    mild, hard = at(low), at(high)
    gap = {False: abs(removed(mild) - wanted), True: abs(removed(hard) - wanted)}
    if removed(hard) <= wanted:
        return hard
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        widths = at(middle)
        if widths in (mild, hard):
            low, high = (middle, high) if widths == mild else (low, middle)
            continue
        share = removed(widths)
        if share < wanted:
            low, mild, gap[False] = middle, widths, wanted - share
        else:
            high, hard, gap[True] = middle, widths, share - wanted
    return hard if gap[True] < gap[False] else mild


def cap_of(step: PruneChannels) -> float:
    """Return the largest share that a ranking may take from one group: the step's own, or that of PR-11."""
    return step.cap or load_techniques().techniques["prune_channels"].figures("cap")[0]


def _uniform(step: PruneChannels, groups: tuple[ChannelGroup, ...]) -> Callable[[float], Widths]:
    """Return a function that removes the same share of every group."""
    return lambda share: {g.id: kept_width(g.width, share, step.round_to, g.blocks) for g in groups}


def _by_rank(
    step: PruneChannels, groups: tuple[ChannelGroup, ...], ranked: Mapping[int, Ranked]
) -> Callable[[float], Widths]:
    """Return a function that removes the lowest share of every pool of comparable channels, within the cap."""
    cap = cap_of(step)
    kind = {g.id: ranked[g.id].kind if step.allocation == "isomorphic" else "" for g in groups}
    sorted_scores = {g.id: np.sort(ranked[g.id].scores) for g in groups}
    pools: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    for name in set(kind.values()):
        members = [g for g in groups if kind[g.id] == name]
        scores = np.concatenate([sorted_scores[g.id] for g in members])
        counts = np.concatenate([np.full(len(sorted_scores[g.id]), g.blocks) for g in members])
        order = np.argsort(scores, kind="stable")
        pools[name] = scores[order], np.cumsum(counts[order]) / max(1, counts.sum())

    def at(share: float) -> Widths:
        limits = {}
        for name, (scores, done) in pools.items():
            last = int(np.searchsorted(done, share, side="right"))  # channels that go, of this pool
            limits[name] = scores[last - 1] if last else -np.inf
        return {
            g.id: _rounded(g, int(np.searchsorted(sorted_scores[g.id], limits[kind[g.id]], "right")), step, cap)
            for g in groups
        }

    return at


def _rounded(group: ChannelGroup, gone: int, step: PruneChannels, cap: float) -> int:
    """Return the width without `gone` channels of each block: a multiple, rounded down, but within the cap."""
    block = group.width // group.blocks
    unit = step.round_to // gcd(step.round_to, group.blocks)
    least = max(unit, ceil(block * (1 - cap) / unit) * unit)
    kept = (block - gone) // unit * unit if gone else block
    return group.blocks * min(block, max(kept, least))


def _explicit(step: PruneChannels, groups: tuple[ChannelGroup, ...]) -> Widths:
    """Return the widths that the step lists, or those a part of the way there."""
    wanted, found = dict(step.widths), {}
    for group in groups:
        width = next((wanted.pop(path) for path in group.producers if path in wanted), group.width)
        for path in group.producers:
            wanted.pop(path, None)
        if width > group.width:
            raise NotApplicable(
                f"prune_channels: {group.producers[0]} has {group.width} channels, {width} are to stay",
                remedy="The widths belong to another network; leave them out to have them found anew.",
            )
        found[group.id] = width if step.part == 1 else _between(group, width, step)
    if wanted:
        raise NotApplicable(
            f"prune_channels: {next(iter(wanted))} is no layer whose width can change",
            remedy="The widths belong to another network; leave them out to have them found anew.",
        )
    return found


def _between(group: ChannelGroup, width: int, step: PruneChannels) -> int:
    """Return a width on the way, rounded up to a multiple."""
    unit = step.round_to // gcd(step.round_to, group.blocks) * group.blocks
    kept = group.width - step.part * (group.width - width)
    return min(group.width, max(width, ceil(kept / unit - 1e-9) * unit))
