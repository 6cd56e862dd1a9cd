"""Taking places out of the weights of a module, in place, and telling its layers their new widths."""

from typing import Any

from advisor.errors import NotApplicable
from advisor.techniques.channels import ChannelGroup

from .places import Places

_COUNTS = ("num_heads", "num_kv_heads", "num_attention_heads", "n_heads", "heads")  # the number of heads by any name
_TOTALS = ("attn_dim", "all_head_dim", "all_head_size", "inner_dim")  # the width of all heads together
_OTHER_PLAN = "Choose a plan that leaves the heads, or one without this pruning."


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


def count_heads(module: Any, group: ChannelGroup, kept: int) -> None:
    """Tell the attention around a group's projections how many heads it has now."""
    owners = {id(owner): owner for path in group.producers if (owner := _attention(module, path, group.width))}
    for owner in owners.values():
        for name in _told(owner, group.width):
            setattr(owner, name, getattr(owner, name) // group.width * kept)


def _attention(module: Any, path: str, heads: int) -> Any:
    """Return the nearest module around a layer that says that it has so many heads."""
    from torch import nn

    parts, names = dict(module.named_modules()), path.split(".")
    around = (parts.get(".".join(names[:depth])) for depth in range(len(names), 0, -1))
    owner = next((part for part in around if part is not None and _told(part, heads)), None)
    if isinstance(owner, nn.MultiheadAttention):
        raise NotApplicable(
            f"prune_transformer: {path} is a MultiheadAttention, whose heads always fill the embedding",
            remedy=_OTHER_PLAN,
        )
    return owner


def _told(part: Any, heads: int) -> list[str]:
    """Return the attributes of a module that hold the number of its heads or their common width."""
    numbers = {name: value for name, value in vars(part).items() if type(value) is int}
    counts = [name for name in _COUNTS if numbers.get(name) == heads]
    return counts and counts + [name for name in _TOTALS if name in numbers and numbers[name] % heads == 0]


def _owner(module: Any, name: str) -> tuple[Any, str]:
    owner, _, leaf = name.rpartition(".")
    try:
        part = module.get_submodule(owner)
    except AttributeError:
        part = None
    if part is None or (leaf not in part._parameters and leaf not in part._buffers):
        raise NotApplicable(f"prune_transformer: {name} is no weight of its own", remedy=_OTHER_PLAN)
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
    elif isinstance(part, nn.Conv2d):
        depthwise = part.groups == part.in_channels > 1
        part.out_channels = part.weight.shape[0]
        part.groups = part.out_channels if depthwise else part.groups
        part.in_channels = part.weight.shape[1] * part.groups
    elif isinstance(part, nn.LayerNorm):
        part.normalized_shape = tuple(part.weight.shape)
    elif isinstance(part, nn.modules.batchnorm._BatchNorm):
        part.num_features = next(t for t in (part.running_mean, part.weight) if t is not None).shape[0]
