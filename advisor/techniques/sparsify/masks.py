"""Which weights of a kernel become zero, and keeping them zero while the others are trained."""

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize


def unstructured(kernel: Tensor, sparsity: float) -> Tensor:
    """Return the mask that keeps the largest weights of a kernel (magnitude, Han 2015)."""
    count = kernel.numel() - round(sparsity * kernel.numel())
    mask = torch.zeros(kernel.numel(), dtype=torch.bool)
    mask[kernel.detach().abs().flatten().topk(count).indices] = True
    return mask.reshape(kernel.shape)


def two_of_four(kernel: Tensor) -> Tensor:
    """Return the mask that keeps the two largest of every four neighbouring input channels (Mishra 2021)."""
    rows = kernel.detach().abs().movedim(1, -1)
    groups = rows.reshape(*rows.shape[:-1], rows.shape[-1] // 4, 4)
    kept = torch.zeros_like(groups, dtype=torch.bool).scatter_(-1, groups.topk(2, dim=-1).indices, True)
    return kept.reshape(rows.shape).movedim(-1, 1)


class Masked(nn.Module):
    """Multiply a kernel by its mask, so that neither training nor momentum brings a zero back."""

    mask: Tensor

    def __init__(self, mask: Tensor) -> None:
        """Keep the mask."""
        super().__init__()
        self.register_buffer("mask", mask)

    def forward(self, kernel: Tensor) -> Tensor:
        """Return the kernel with its zeros."""
        return kernel * self.mask


def hold(module: nn.Module, name: str, mask: Tensor) -> None:
    """Keep the zeros of one parameter ('layer.weight') from now on."""
    owner, _, leaf = name.rpartition(".")
    parametrize.register_parametrization(module.get_submodule(owner), leaf, Masked(mask))


def settle(module: nn.Module) -> None:
    """Write the zeros into the parameters and hold them no longer."""
    for part in module.modules():
        if parametrize.is_parametrized(part):
            for leaf, chain in list(part.parametrizations.items()):  # type: ignore[operator, union-attr]
                if any(isinstance(one, Masked) for one in chain):
                    parametrize.remove_parametrizations(part, leaf, leave_parametrized=True)
