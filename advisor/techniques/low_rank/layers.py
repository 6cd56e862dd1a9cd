"""Taking layers out of a module and putting thinner ones in their place."""

from typing import Any

from advisor.errors import NotApplicable

from .ranks import Factor

OTHER_PLAN = "Choose a plan without low-rank factorization."
_CASTING = "timm.layers.linear"  # a linear layer that casts its weights in scripts, and is an ordinary one otherwise


def plain_layer(module: Any, path: str) -> Any:
    """Return the layer; one that does more than its kernel says, or whose kernel is computed, is refused."""
    from torch import nn

    try:
        layer = module.get_submodule(path)
    except AttributeError as error:
        raise NotApplicable(f"low_rank: {path} is no layer of its own", remedy=OTHER_PLAN) from error
    known = type(layer) in (nn.Linear, nn.Conv2d) or type(layer).__module__ == _CASTING
    plain = known and isinstance(layer.weight, nn.Parameter)
    if not plain or getattr(layer, "padding_mode", "zeros") != "zeros" or layer._forward_hooks:
        raise NotApplicable(
            f"low_rank: {path} is a {type(layer).__name__} with arithmetic of its own", remedy=OTHER_PLAN
        )
    return layer


def is_plain(module: Any, path: str) -> bool:
    """Whether the layer at `path` does what its kernel says and no more."""
    try:
        plain_layer(module, path)
    except NotApplicable:
        return False
    return True


def replace(module: Any, path: str, parts: tuple[Factor, ...], kernels: tuple[Any, ...], bias: Any) -> None:
    """Put a chain of thinner layers with these kernels in place of the layer at `path`; the last has the bias."""
    from torch import nn

    old = module.get_submodule(path)
    chain = [thinner(old, part, kernel) for part, kernel in zip(parts, kernels, strict=True)]
    if bias is not None:
        chain[-1].bias = nn.Parameter(bias.detach().to(old.weight.dtype).clone())
    owner, _, leaf = path.rpartition(".")
    setattr(module.get_submodule(owner), leaf, nn.Sequential(*chain).eval())


def thinner(old: Any, part: Factor, kernel: Any) -> Any:
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
