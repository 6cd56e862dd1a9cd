"""Telling the attention around a group's projections how many heads it has."""

from typing import Any

from advisor.errors import NotApplicable
from advisor.techniques.channels import ChannelGroup

_COUNTS = ("num_heads", "num_kv_heads", "num_attention_heads", "n_heads", "heads")  # the number of heads by any name
_TOTALS = ("attn_dim", "all_head_dim", "all_head_size", "inner_dim")  # the width of all heads together
_OTHER_PLAN = "Choose a plan that leaves the heads, or one without this pruning."


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
