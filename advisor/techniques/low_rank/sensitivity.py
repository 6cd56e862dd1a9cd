"""How much a network's outputs suffer from each layer at each rank, measured, and ranks allotted by it.

One layer at a time has its kernel replaced by that of lower rank; the error is what this changes in the outputs on
calibration images. No labels are needed. Errors of several layers are taken to add up.
"""

import copy
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.errors import NotApplicable
from advisor.schema import Workload
from advisor.techniques.subject import Subject

from .choose import Candidate, candidates
from .ranks import budget, cost, eligible, factors
from .step import LowRank, Ranks

RATIOS = (0.5, 0.25, 0.75, 0.35, 0.9)  # of break-even; in the order of measuring, should time run out
SECONDS = 300.0
UNITS = 10_000  # steps in which savings are counted


@dataclass(frozen=True)
class Trial:
    """One layer at certain ranks: what it saves, what of the kernel it loses, and what that does to the outputs."""

    layer: str
    ranks: Ranks
    macs_saved: int
    energy_lost: float
    error: float  # squared change of the outputs as a share of their squares
    measured: bool


@dataclass(frozen=True)
class Sensitivity:
    """All trials; those that time did not suffice for have errors in proportion to the energy lost."""

    trials: tuple[Trial, ...]
    images: int

    @property
    def measured(self) -> int:
        """How many errors were measured."""
        return sum(trial.measured for trial in self.trials)


def scan(
    step: LowRank, subject: Subject, *, seconds: float = SECONDS, tick: Callable[[], None] | None = None
) -> Sensitivity:
    """Measure every layer that the step may split at a ladder of ranks, by every method that it may use.

    `seconds` bounds the measuring, `tick` is called after each trial.
    """
    if subject.module is None or subject.workload is None:
        raise NotApplicable("low_rank needs the torch module, not an ONNX file")
    if subject.calibration is None:
        raise NotApplicable("ranks by sensitivity need calibration images", remedy="Give data, or ranks by energy.")
    until = time.monotonic() + seconds
    module = copy.deepcopy(subject.module).cpu().eval()
    batches = list(subject.calibration(step.calibration_images))
    outputs = [_outputs(module, batch) for batch in batches]
    layers = list(candidates(step, module, subject.workload))
    trials = []
    for layer, trial in _planned(layers, step, subject.workload):
        if time.monotonic() < until:
            error = _error(module, layer, trial.ranks, batches, outputs)
            trials.append(replace(trial, error=error, measured=True))
        else:
            trials.append(trial)
        if tick is not None:
            tick()
    return Sensitivity(tuple(_completed(trials)), sum(len(batch) for batch in batches))


def target(step: LowRank, workload: Workload) -> int:
    """Return the MACs that the same share of break-even everywhere would save."""
    plain = step.model_copy(update={"ranks": None})
    return sum(
        op.macs - cost(parts, workload.tensor[op.outputs[0]].shape) for op, _, parts in eligible(workload, plain)
    )


def allot(trials: Iterable[Trial], save: int) -> dict[str, Ranks]:
    """Return the ranks by layer that save so many MACs, or all that can be, at the least sum of errors.

    A knapsack with one choice for each layer, solved exactly but for the size of its units: of a large saving, a
    ten-thousandth may be missing for each layer.
    """
    by_layer: dict[str, list[Trial]] = {}
    for trial in trials:
        by_layer.setdefault(trial.layer, []).append(trial)
    most = [max(offers, key=lambda trial: trial.macs_saved) for offers in by_layer.values()]
    if sum(trial.macs_saved for trial in most) < save:
        return {trial.layer: trial.ranks for trial in most}
    unit = max(save // UNITS, 1)
    need = max(save // unit - len(by_layer) * (unit > 1), 0)  # each layer's saving is rounded down
    errors, pasts = np.full(need + 1, np.inf), []
    errors[0] = 0.0
    for offers in by_layer.values():
        errors, past = _extended(errors, [(trial.macs_saved // unit, trial.error) for trial in offers])
        pasts.append(past)
    chosen, at = {}, need if np.isfinite(errors[need]) else int(np.flatnonzero(np.isfinite(errors))[-1])
    for (layer, offers), (taken, origin) in reversed(list(zip(by_layer.items(), pasts, strict=True))):
        if taken[at]:
            chosen[layer] = offers[taken[at] - 1].ranks
        at = origin[at]
    return {layer: chosen[layer] for layer in by_layer if layer in chosen}


def _extended(errors: NDArray[Any], offers: list[tuple[int, float]]) -> tuple[NDArray[Any], tuple[Any, Any]]:
    """Return the least error for each number of units with one more layer, which offer it takes, and from where.

    Offer 0 leaves the layer as it is; whatever is saved beyond the last unit counts as the last.
    """
    size = len(errors)
    best, taken, origin = errors.copy(), np.zeros(size, dtype=int), np.arange(size)
    for index, (saved, error) in enumerate(offers, start=1):
        units = min(saved, size - 1)
        reached, source = np.full(size, np.inf), np.arange(size) - units
        reached[units:] = errors[: size - units] + error
        source[-1] = size - 1 - units + int(errors[size - 1 - units :].argmin())
        reached[-1] = errors[source[-1]] + error
        better = reached < best
        best, taken, origin = (
            np.where(better, new, old) for new, old in ((reached, best), (index, taken), (source, origin))
        )
    return best, (taken, origin)


def _planned(layers: list[Candidate], step: LowRank, workload: Workload) -> Iterator[tuple[Candidate, Trial]]:
    """Yield unmeasured trials, all layers at one share before the next."""
    seen = set()
    for ratio in (step.rank_ratio, *RATIOS):  # equal shares are one way to spend the budget
        for layer in layers:
            for method, found in layer.spectra.items():
                ranks = budget(workload, layer.op, method, ratio, step.round_to)
                parts = factors(workload, layer.op, ranks)
                if not parts or (layer.path, ranks) in seen:
                    continue
                seen.add((layer.path, ranks))
                saved = layer.op.macs - cost(parts, workload.tensor[layer.op.outputs[0]].shape)
                yield layer, Trial(layer.path, ranks, saved, max(1 - found.share(ranks), 0.0), 0.0, measured=False)


def _error(module: Any, layer: Candidate, ranks: Ranks, batches: list[Any], outputs: list[list[Any]]) -> float:
    """Return what the outputs change by while the layer has a kernel of these ranks."""
    import torch

    method = "tucker2" if len(ranks) == 2 else next(name for name in layer.spectra if name != "tucker2")
    weight = module.get_submodule(layer.path).weight
    whole = weight.detach().clone()
    wrong = size = 0.0
    with torch.no_grad():
        weight.copy_(layer.spectra[method].joined(ranks))
        for batch, wanted in zip(batches, outputs, strict=True):
            for found, right in zip(_outputs(module, batch), wanted, strict=True):
                wrong += float((found - right).square().sum())
                size += float(right.square().sum())
        weight.copy_(whole)
    return wrong / max(size, 1e-30)


def _outputs(module: Any, batch: Any) -> list[Any]:
    """Return all floating-point tensors that a network answers with."""
    import torch
    from torch.utils._pytree import tree_leaves

    with torch.inference_mode():
        leaves = tree_leaves(module(torch.from_numpy(batch)))
    return [leaf for leaf in leaves if isinstance(leaf, torch.Tensor) and leaf.is_floating_point()]


def _completed(trials: list[Trial]) -> Iterator[Trial]:
    """Estimate what was not measured: the layer's error for each share of energy lost, else that of all layers."""
    pairs = [(trial.layer, trial.error / trial.energy_lost) for trial in trials if trial.measured and trial.energy_lost]
    overall = sorted(rate for _, rate in pairs)
    middle = overall[len(overall) // 2] if overall else 1.0
    rates = dict(reversed(pairs))  # the first measured of each layer
    for trial in trials:
        yield trial if trial.measured else replace(trial, error=trial.energy_lost * rates.get(trial.layer, middle))
