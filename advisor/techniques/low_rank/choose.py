"""Ranks that depend on the weights: by energy, by VBMF, and the cheaper of two methods at equal energy."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from advisor.schema import Op, Weight, Workload

from .factorize import as_matrix
from .layers import is_plain
from .ranks import budget, cost, factors, layers, methods, path_of
from .spectra import Spectrum, spectrum
from .step import LowRank, Ranks


@dataclass(frozen=True)
class Candidate:
    """A layer that may be split, with its kernel's spectrum by method."""

    path: str
    op: Op
    weight: Weight
    spectra: dict[str, Spectrum]


def candidates(step: LowRank, module: Any, workload: Workload) -> Iterator[Candidate]:
    """Yield the layers that the step may split, those with arithmetic of their own left out."""
    for op, weight in layers(workload, step):
        path = path_of(weight)
        if not is_plain(module, path):
            continue
        kernel = module.get_submodule(path).weight
        yield Candidate(path, op, weight, {name: spectrum(kernel, name) for name in methods(op, step.method)})


def by_weights(step: LowRank, module: Any, workload: Workload) -> dict[str, Ranks]:
    """Return the ranks of every layer that gains, by the step's rule; sensitivity is not one of the weights."""
    found = {}
    for layer in candidates(step, module, workload):
        ranks = cheapest(layer, workload, _offers(step, layer, module, workload))
        if ranks is not None:
            found[layer.path] = ranks
    return found


def cheapest(layer: Candidate, workload: Workload, offers: Iterable[Ranks]) -> Ranks | None:
    """Return the ranks with fewest MACs among those that save any."""
    after = workload.tensor[layer.op.outputs[0]].shape
    costs = {ranks: cost(parts, after) for ranks in offers if (parts := factors(workload, layer.op, ranks))}
    return min(costs, key=lambda ranks: costs[ranks]) if costs else None


def _offers(step: LowRank, layer: Candidate, module: Any, workload: Workload) -> Iterator[Ranks]:
    if step.rule == "vbmf":
        yield from (_vbmf(module.get_submodule(layer.path).weight, name, step.round_to) for name in layer.spectra)
        return
    energy = step.energy
    if step.rule == "budget":  # the plainest method at the budget says how much every method must keep
        plain = next(iter(layer.spectra))
        energy = layer.spectra[plain].share(budget(workload, layer.op, plain, step.rank_ratio, step.round_to))
    for found in layer.spectra.values():
        yield from found.at_energy(energy, step.round_to)


def _vbmf(weight: Any, method: str, multiple: int) -> Ranks:
    """Return the ranks that stand out of noise, up to a multiple; Tucker-2 has one for inputs and one for outputs."""
    from .vbmf import rank_of

    kernel = weight.detach().float()
    sides = (kernel.transpose(0, 1).flatten(1), kernel.flatten(1))
    matrices = sides if method == "tucker2" else (as_matrix(kernel, method),)
    return tuple(max(-(-rank_of(matrix.numpy()) // multiple), 1) * multiple for matrix in matrices)
