"""Splitting a kernel into thinner ones: truncated SVD, spatial SVD, Tucker-2. The only arithmetic of the technique.

Each function takes the kernel of a layer and returns those of the layers that replace it, first to last; scales are
shared evenly between them, so that none is much larger than the others when they are quantized later.
"""

from typing import Any

_SWEEPS = 3  # alternating improvements of the Tucker bases; later ones change the error by less than 0.1 %


def svd(kernel: Any, rank: int) -> tuple[Any, Any]:
    """Split a matrix (out, in) or a 1x1 kernel (out, in, 1, 1) into (rank, in, ...) and (out, rank, ...)."""
    tail = kernel.shape[2:]
    left, right = _halves(as_matrix(kernel, "svd"), rank)
    return right.reshape(rank, kernel.shape[1], *tail), left.reshape(kernel.shape[0], rank, *tail)


def spatial_svd(kernel: Any, rank: int) -> tuple[Any, Any]:
    """Split (out, in, h, w) into a vertical (rank, in, h, 1) and a horizontal (out, rank, 1, w) (Jaderberg 2014)."""
    outputs, inputs, high, wide = kernel.shape
    left, right = _halves(as_matrix(kernel, "spatial_svd"), rank)
    vertical = left.T.reshape(rank, inputs, high, 1)
    horizontal = right.reshape(rank, wide, outputs).permute(2, 0, 1).reshape(outputs, rank, 1, wide)
    return vertical, horizontal


def as_matrix(kernel: Any, method: str) -> Any:
    """Return the matrix whose rank a method lowers: out x in, or (in h) x (w out)."""
    if method == "svd":
        return kernel.flatten(1)
    outputs, inputs, high, wide = kernel.shape
    return kernel.permute(1, 2, 3, 0).reshape(inputs * high, wide * outputs)


def tucker2(kernel: Any, first: int, second: int) -> tuple[Any, Any, Any]:
    """Split (out, in, h, w) into 1x1, h x w and 1x1 kernels of `first` and `second` channels between (Kim 2016).

    Higher-order SVD, improved by orthogonal iteration.
    """
    import torch

    outputs, inputs = kernel.shape[:2]
    of_inputs = basis(kernel.transpose(0, 1).flatten(1), first)  # (in, first)
    for _ in range(_SWEEPS):
        of_outputs = basis(torch.einsum("oihw,ir->orhw", kernel, of_inputs).flatten(1), second)  # (out, second)
        of_inputs = basis(torch.einsum("oihw,os->ishw", kernel, of_outputs).flatten(1), first)
    core = torch.einsum("oihw,ir,os->srhw", kernel, of_inputs, of_outputs)
    scale = core.abs().amax().clamp_min(1e-12) ** (1 / 3)
    return (
        (of_inputs.T * scale).reshape(first, inputs, 1, 1),
        core / scale**2,
        (of_outputs * scale).reshape(outputs, second, 1, 1),
    )


def _halves(matrix: Any, rank: int) -> tuple[Any, Any]:
    """Return (m, rank) and (rank, n) whose product is the best approximation of that rank."""
    import torch

    left, values, right = torch.linalg.svd(matrix, full_matrices=False)
    root = values[:rank].sqrt()
    return left[:, :rank] * root, root[:, None] * right[:rank]


def basis(matrix: Any, rank: int) -> Any:
    """Return the leading left singular vectors of a wide matrix, from its Gram matrix, which is small."""
    import torch

    _, vectors = torch.linalg.eigh(matrix @ matrix.T)
    return vectors[:, -rank:].flip(1)
