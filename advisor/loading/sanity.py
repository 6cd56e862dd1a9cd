"""Whether weights are numbers that a network can compute with: a trained network has none that are not finite."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from advisor.errors import ModelLoadError

_STATISTICS = ("running_mean", "running_var")
_NAMED_WEIGHTS = ("weight", "bias", "in_proj_weight", "in_proj_bias", *_STATISTICS)
_PIECE = 2**24  # elements that are looked at in one go where a tensor is searched for what is wrong
_LISTED = 4
_AGAIN = "Train or download the network again; such weights give no usable result."


def check_weights(tensors: Mapping[str, Tensor], where: str) -> None:
    """Raise for weights that are no finite real numbers, have no values, or have a layout that nothing here computes.

    Parameters and the statistics of normalisation are weights; in other tensors (masks, tables of indices) infinity is
    a value like any other, and only NaN is refused. Quantized tensors are whole numbers and pass.
    """
    for name, tensor in tensors.items():
        form = _form_fault(tensor, _is_weight(name, tensor))
        if form is not None:
            raise ModelLoadError(f"{name!r} {form[0]}", where=where, remedy=form[1])
    faults = [fault for name, tensor in tensors.items() if (fault := _value_fault(name, tensor))]
    if faults:
        more = f" and {len(faults) - _LISTED} more" if len(faults) > _LISTED else ""
        raise ModelLoadError(
            "the network has weights that are not finite numbers",
            where=f"{where}: {', '.join(faults[:_LISTED])}{more}",
            remedy=_AGAIN,
        )


def _is_weight(name: str, tensor: Tensor) -> bool:
    return isinstance(tensor, nn.Parameter) or name.rpartition(".")[2] in _NAMED_WEIGHTS


def _form_fault(tensor: Tensor, weight: bool) -> tuple[str, str] | None:
    """Return what is wrong with the form of a tensor, and the remedy."""
    if tensor.is_meta:
        return (
            "has a shape but no values",
            "Save the network after its weights have been loaded, not from the meta device.",
        )
    if tensor.layout is not torch.strided or tensor.is_nested:
        return f"is stored as {tensor.layout}", "Save dense weights (tensor.to_dense()); zeros may stay in them."
    if not weight:
        return None
    if tensor.is_complex():
        return "is complex", "Complex weights have no counterpart on embedded devices; use a network with real ones."
    if tensor.dtype is torch.float64:
        return "is in float64", "Save the network in single precision: torch.save(model.float(), FILE)."
    if tensor.dim() and not tensor.numel():
        return (
            f"is empty ({'x'.join(map(str, tensor.shape))})",
            "Initialise the network with an input before saving it.",
        )
    return None


def _value_fault(name: str, tensor: Tensor) -> str | None:
    """Return how many elements are NaN or, in weights, infinite."""
    if not (tensor.is_floating_point() or tensor.is_complex()) or not tensor.numel() or _sum_is_finite(tensor):
        return None
    infinite_counts = _is_weight(name, tensor)
    nan = infinite = 0
    for piece in _pieces(tensor):
        nan += int(torch.isnan(piece).sum())
        infinite += int(torch.isinf(piece).sum()) if infinite_counts else 0
    counts = [f"{count:,} {what}" for count, what in ((nan, "NaN"), (infinite, "infinite")) if count]
    return f"{name} ({' and '.join(counts)} of {tensor.numel():,})" if counts else None


def _sum_is_finite(tensor: Tensor) -> bool:
    """Tell quickly that all is well: a sum with NaN or infinity in it is not finite, one without hardly ever."""
    total = tensor.detach()
    try:
        total = total.sum(dtype=torch.complex64 if tensor.is_complex() else torch.float32)
    except (RuntimeError, NotImplementedError):  # formats of 8 bits have no sum
        return False
    return bool(torch.isfinite(total))


def _pieces(tensor: Tensor) -> Iterator[Tensor]:
    flat = tensor.detach().reshape(-1)
    for start in range(0, flat.numel(), _PIECE):
        piece = flat[start : start + _PIECE]
        yield piece if piece.is_complex() else piece.float()
