"""How much each group of channels matters: one group cut at a time, the network scored after each cut."""

import copy
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from advisor.errors import NotApplicable
from advisor.schema import Workload
from advisor.techniques.channels import ChannelGroup, channel_groups, kept_width
from advisor.techniques.subject import Subject

from .apply import made
from .preview import by_path
from .step import PruneChannels

RATIOS = (0.5, 0.25, 0.75)  # shares of a group's channels, the most telling first
Scan = dict[str, dict[float, float]]
Tick = Callable[[int, int, str], None]


def group_names(workload: Workload) -> tuple[str, ...]:
    """Return the names of the groups that can be cut: the module path of the first layer of each."""
    return tuple(group.producers[0] for group in channel_groups(workload) if group.prunable)


def sensitivity(  # noqa: PLR0913  (a scan's conditions, by name)
    module: Any,
    workload: Workload,
    input_shape: tuple[int, ...],
    groups: Iterable[str] | None,
    score: Callable[[Any], float],
    *,
    ratios: tuple[float, ...] = RATIOS,
    step: PruneChannels | None = None,
    subject: Subject | None = None,
    seconds: float | None = None,
    tick: Tick | None = None,
) -> Scan:
    """Return scores by group and by the share of its channels that was cut; 0.0 is the uncut network.

    `groups` are names as of `group_names` (None: all); `score(module) -> float` is called once without a cut and once
    for each cut, without training. `step` gives criterion and rounding (default: L2, no rounding); a criterion
    that needs data takes it from `subject`. After `seconds` no further cut is begun; as all groups get a ratio before
    any gets the next, the groups scanned last are those that are missing, and only at the last ratios. Groups that
    cannot be cut alone are left out. `tick(done, total, text)` is called after every score. The module is not changed.
    """
    began, step = time.monotonic(), step or PruneChannels(ratio=0.5, round_to=1, epochs=0)
    known = channel_groups(workload)
    by_name = {group.producers[0]: group for group in known if group.prunable}
    names = [name for name in (by_name if groups is None else groups) if name in by_name]
    given = subject or Subject(input_shape, Path(), module=module, workload=workload)
    trials = [(name, ratio) for ratio in ratios for name in names]
    uncut = score(copy.deepcopy(module).cpu().eval())
    found: Scan = {name: {0.0: uncut} for name in names}
    for done, (name, ratio) in enumerate(trials, 1):
        if seconds is not None and time.monotonic() - began > seconds:
            break
        one = _one_cut(workload, known, by_name[name], ratio, step, given)
        if one is not None:
            found[name][ratio] = score(one)
        if tick is not None:
            tick(done, len(trials), f"{name} without {ratio:.0%} of its channels")
    return found


def _one_cut(
    workload: Workload,
    known: tuple[ChannelGroup, ...],
    group: ChannelGroup,
    ratio: float,
    step: PruneChannels,
    subject: Subject,
) -> Any:
    """Return a copy of the network with one group cut, None where nothing would go or it cannot be followed."""
    width = kept_width(group.width, ratio, step.round_to, group.blocks)
    if width == group.width:
        return None
    widths = by_path(workload, known, {group.id: width})
    try:
        return made(step.model_copy(update={"widths": tuple(widths.items())}), subject, widths)
    except NotApplicable:
        return None
