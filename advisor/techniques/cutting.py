"""Taking places out of the weights of a module, in place, and telling its layers their new widths."""

from typing import Any

from advisor.errors import NotApplicable

from .places import Places

_OTHER_PLAN = "Choose a plan that leaves this layer, or one without this pruning."


def cut(module: Any, places: Places) -> None:
    """Keep only these places of every weight; layers learn the widths that their weights now have."""
    from torch import nn

    for name, axes in places.items():
        part, leaf = _owner(module, name)
        old = getattr(part, leaf)
        new = old.detach()
        for axis, stay in axes.items():
            new = new.index_select(axis, stay)
        if leaf in part._parameters:
            new = nn.Parameter(new, requires_grad=old.requires_grad)
        for holder in _replace(module, old, new):
            _tell(holder)


def silence(module: Any, places: Places) -> None:
    """Set all other places to zero: what is to be cut no longer speaks, but every width stays."""
    import torch

    for name, axes in places.items():
        part, leaf = _owner(module, name)
        old = getattr(part, leaf)
        for axis, stay in axes.items():
            mute = torch.ones(old.shape[axis], dtype=torch.bool)
            mute[stay] = False
            old.detach().movedim(axis, 0)[mute] = 0


def forget_caches(module: Any) -> None:
    """Drop tensors that modules keep in plain dictionaries: what they were computed from has changed.

    timm's attention biases are such a cache; with gradients on, it also keeps the module from being copied.
    """
    from torch import Tensor

    for part in module.modules():
        for name, value in vars(part).items():
            if isinstance(value, dict) and not name.startswith("_"):
                for key in [key for key, entry in value.items() if isinstance(entry, Tensor) and not entry.is_leaf]:
                    del value[key]


def _owner(module: Any, name: str) -> tuple[Any, str]:
    owner, _, leaf = name.rpartition(".")
    try:
        part = module.get_submodule(owner)
    except AttributeError:
        part = None
    if part is None or (leaf not in part._parameters and leaf not in part._buffers):
        raise NotApplicable(f"pruning: {name} is no weight of its own", remedy=_OTHER_PLAN)
    return part, leaf


def _replace(module: Any, old: Any, new: Any) -> list[Any]:
    """Put the new tensor wherever the old one is held, since layers may share it; return who holds it."""
    holders = []
    for part in module.modules():
        for held in (part._parameters, part._buffers):
            for leaf in [leaf for leaf, tensor in held.items() if tensor is old]:
                held[leaf] = new
                holders.append(part)
    return holders


def _tell(part: Any) -> None:
    """Let a layer's own attributes say what its weight says."""
    from torch import nn

    if isinstance(part, nn.Linear):
        part.out_features, part.in_features = part.weight.shape
    elif isinstance(part, nn.modules.conv._ConvTransposeNd):
        part.in_channels, part.out_channels = part.weight.shape[0], part.weight.shape[1] * part.groups
    elif isinstance(part, nn.modules.conv._ConvNd):
        if part.groups == part.in_channels == part.out_channels > 1:
            part.groups = part.weight.shape[0]
        part.out_channels, part.in_channels = part.weight.shape[0], part.weight.shape[1] * part.groups
    elif isinstance(part, nn.LayerNorm):
        part.normalized_shape = tuple(part.weight.shape)
    elif isinstance(part, nn.modules.batchnorm._NormBase):
        part.num_features = next(t for t in (part.running_mean, part.weight) if t is not None).shape[0]
    elif isinstance(part, nn.GroupNorm) and part.weight is not None:
        part.num_channels = part.weight.shape[0]
    elif isinstance(part, nn.PReLU):
        part.num_parameters = part.weight.shape[0]
