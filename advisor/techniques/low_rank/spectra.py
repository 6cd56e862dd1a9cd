"""What of a kernel is left at which ranks: spectra, from which the ranks of a wanted share of energy are read off."""

from dataclasses import dataclass
from typing import Any

from .factorize import as_matrix, basis
from .step import Ranks


@dataclass(frozen=True)
class Matrix:
    """Singular values of a kernel taken as the matrix that SVD or spatial SVD lowers the rank of."""

    method: str
    shape: tuple[int, ...]
    left: Any
    values: Any
    right: Any

    def share(self, ranks: Ranks) -> float:
        """Return the share of the kernel's squared values that is kept."""
        return float(self.values[: ranks[0]].square().sum() / self.values.square().sum().clamp_min(1e-30))

    def at_energy(self, energy: float, multiple: int) -> tuple[Ranks, ...]:
        """Return the lowest rank that keeps a share; a multiple where the matrix has as many."""
        kept = self.values.square().cumsum(0)
        return ((_up(_reach(kept, energy * kept[-1]), multiple, len(kept)),),)

    def joined(self, ranks: Ranks) -> Any:
        """Return the kernel of these ranks."""
        rank = ranks[0]
        matrix = (self.left[:, :rank] * self.values[:rank]) @ self.right[:rank]
        if self.method == "svd":
            return matrix.reshape(self.shape)
        outputs, inputs, high, wide = self.shape
        return matrix.reshape(inputs, high, wide, outputs).permute(3, 0, 1, 2)


@dataclass(frozen=True)
class Tucker:
    """The whole core of a kernel in the bases of its outputs and inputs: cutting it keeps a share that adds up."""

    of_outputs: Any  # (out, out), leading directions first
    of_inputs: Any
    core: Any  # (out, in, h, w)
    kept: Any  # (out, in): squared values in the core up to these ranks

    def share(self, ranks: Ranks) -> float:
        """Return the share of the kernel's squared values that is kept, at least: alternating improves on it."""
        first, second = ranks
        return float(self.kept[second - 1, first - 1] / self.kept[-1, -1].clamp_min(1e-30))

    def at_energy(self, energy: float, multiple: int) -> tuple[Ranks, ...]:
        """Return, for every rank of the inputs that can keep a share, the lowest rank of the outputs that does."""
        outputs, inputs = self.kept.shape
        wanted = energy * self.kept[-1, -1]
        found = []
        for first in range(min(multiple, inputs), inputs + 1, multiple):
            column = self.kept[:, first - 1]
            if column[-1] >= wanted:
                found.append((first, _up(_reach(column, wanted), multiple, outputs)))
        return tuple(found)

    def joined(self, ranks: Ranks) -> Any:
        """Return the kernel of these ranks."""
        import torch

        first, second = ranks
        core = self.core[:second, :first]
        return torch.einsum("srhw,os,ir->oihw", core, self.of_outputs[:, :second], self.of_inputs[:, :first])


Spectrum = Matrix | Tucker


def spectrum(kernel: Any, method: str) -> Spectrum:
    """Return the spectrum of a kernel (out, in[, h, w]), float32, for a method."""
    import torch

    kernel = kernel.detach().to(torch.float32)
    if method != "tucker2":
        return Matrix(method, tuple(kernel.shape), *torch.linalg.svd(as_matrix(kernel, method), full_matrices=False))
    of_outputs = basis(kernel.flatten(1), kernel.shape[0])
    of_inputs = basis(kernel.transpose(0, 1).flatten(1), kernel.shape[1])
    core = torch.einsum("oihw,os,ir->srhw", kernel, of_outputs, of_inputs)
    kept = core.double().square().sum(dim=(2, 3)).cumsum(0).cumsum(1)
    return Tucker(of_outputs, of_inputs, core, kept)


def _reach(kept: Any, wanted: Any) -> int:
    """Return how many leading entries of a growing sum reach a value; rounding must not ask for more than there are."""
    import torch

    return min(int(torch.searchsorted(kept.contiguous(), torch.as_tensor(wanted, dtype=kept.dtype))) + 1, len(kept))


def _up(rank: int, multiple: int, most: int) -> int:
    """Round up to a multiple, but not past the full rank."""
    return min(-(-rank // multiple) * multiple, most)
