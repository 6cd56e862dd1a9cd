"""Replacing layers of a copy of the module by thinner ones of lower rank, which stay ordinary layers.

Which layers and which ranks comes from `ranks.eligible` and `ranks.factors`, so that preview and result agree. Recovery
is not done here.
"""

import copy
from typing import Any

from advisor.errors import NotApplicable
from advisor.techniques.low_rank.ranks import Factor, eligible
from advisor.techniques.rehearsal import rehearse
from advisor.techniques.subject import Change, Need, Stage, Subject

from .factorize import spatial_svd, svd, tucker2
from .step import LowRank

STAGE: Stage = "torch"
_OTHER_PLAN = "Choose a plan without low-rank factorization."


def needs(step: LowRank) -> Need:
    """Tell which data the step cannot do without: labels for fine-tuning, none for the factorization itself."""
    return "labels" if step.epochs > 0 else "nothing"


def apply(step: LowRank, subject: Subject) -> Change:
    """Factorize every layer that the preview names; the details hold ranks and what of each kernel was lost."""
    if subject.module is None or subject.workload is None:
        raise NotApplicable("low_rank needs the torch module, not an ONNX file")
    chosen = eligible(subject.workload, step.method, step.rank_ratio, step.round_to)
    if not chosen:
        raise NotApplicable(
            f"low_rank by {step.method} finds no layer that gains at {step.rank_ratio:.0%} of the break-even rank",
            remedy="Ask for a smaller ratio or another method.",
        )
    module = copy.deepcopy(subject.module).cpu().eval()
    details: dict[str, Any] = {}
    for _, weight, parts in chosen:
        path = weight.name.removesuffix(".weight")
        details[path] = _replace(module, path, parts)
    rehearse(
        module, subject.input_shape, "low_rank: the factorized network does not run",
        where="its forward pass reads a layer's own attributes", remedy=_OTHER_PLAN,
    )  # fmt: skip
    lost = sum(layer["energy_lost"] for layer in details.values()) / len(details)
    return Change(
        done=f"factorized {len(details)} layers by {step.method}, {lost:.1%} of a kernel's energy lost on average",
        module=module,
        details={"layers": details},
    )


def _replace(module: Any, path: str, parts: tuple[Factor, ...]) -> dict[str, Any]:
    """Put the thinner layers in place of the layer at `path`; return their ranks and the share of energy lost."""
    import torch

    layer = _plain_layer(module, path)
    kernel = layer.weight.detach().to(torch.float32)
    ranks = [part.channels_out for part in parts[:-1]]
    kernels = _split(kernel, ranks, parts)
    layers = [_layer(layer, part, part_kernel) for part, part_kernel in zip(parts, kernels, strict=True)]
    if layer.bias is not None:
        layers[-1].bias = torch.nn.Parameter(layer.bias.detach().clone())
    owner, _, leaf = path.rpartition(".")
    setattr(module.get_submodule(owner), leaf, torch.nn.Sequential(*layers).eval())
    error = (kernel - _joined(kernels, kernel.shape)).square().sum() / kernel.square().sum().clamp_min(1e-12)
    return {"ranks": ranks, "energy_lost": round(float(error), 5)}


def _plain_layer(module: Any, path: str) -> Any:
    """Return the layer; one that does more than its kernel says, or whose kernel is computed, is refused."""
    from torch import nn

    try:
        layer = module.get_submodule(path)
    except AttributeError as error:
        raise NotApplicable(f"low_rank: {path} is no layer of its own", remedy=_OTHER_PLAN) from error
    plain = type(layer) in (nn.Linear, nn.Conv2d) and isinstance(layer.weight, nn.Parameter)
    if not plain or getattr(layer, "padding_mode", "zeros") != "zeros" or layer._forward_hooks:
        raise NotApplicable(
            f"low_rank: {path} is a {type(layer).__name__} with arithmetic of its own", remedy=_OTHER_PLAN
        )
    return layer


def _split(kernel: Any, ranks: list[int], parts: tuple[Factor, ...]) -> tuple[Any, ...]:
    if len(parts) == 3:
        return tucker2(kernel, *ranks)
    return spatial_svd(kernel, *ranks) if parts[0].taps != parts[1].taps else svd(kernel, *ranks)


def _layer(old: Any, part: Factor, kernel: Any) -> Any:
    """Return a layer with this kernel and no bias; dilation stays with the axis that has taps."""
    from torch import nn

    new: Any
    if isinstance(old, nn.Linear):
        new = nn.Linear(part.channels_in, part.channels_out, bias=False)
    else:
        dilation = tuple(step if taps > 1 else 1 for step, taps in zip(old.dilation, part.taps, strict=True))
        geometry: dict[str, Any] = {
            "kernel_size": part.taps, "stride": part.stride, "padding": part.padding, "dilation": dilation,
        }  # fmt: skip
        new = nn.Conv2d(part.channels_in, part.channels_out, bias=False, **geometry)
    new.weight = nn.Parameter(kernel.to(old.weight.dtype).contiguous())
    return new


def _joined(kernels: tuple[Any, ...], shape: Any) -> Any:
    """Multiply the kernels out again."""
    import torch

    flat = [kernel.flatten(2) if kernel.dim() == 4 else kernel[..., None] for kernel in kernels]
    if len(kernels) == 3:
        return torch.einsum("ria,srt,osb->oit", *flat).reshape(shape)
    return torch.einsum("ria,orb->oiab", *flat).reshape(shape)
