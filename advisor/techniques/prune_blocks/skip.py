"""What stands in place of a block that went; imported only where torch is."""

from typing import Any

from torch import Tensor, nn


class Skip(nn.Identity):
    """Hand the first argument on; blocks may be called with masks and the like beside it."""

    def forward(self, input: Tensor, *_: Any, **__: Any) -> Tensor:
        """Return the input."""
        return input


def skip(module: nn.Module, path: str) -> nn.Module:
    """Put a `Skip` in place of the block at `path`, in place; return the block."""
    owner, _, leaf = path.rpartition(".")
    parent = module.get_submodule(owner)
    block = parent._modules[leaf]
    if block is None:
        raise LookupError(path)
    parent._modules[leaf] = Skip()
    return block


def put_back(module: nn.Module, path: str, block: nn.Module) -> None:
    """Put a block back to its path, in place."""
    owner, _, leaf = path.rpartition(".")
    module.get_submodule(owner)._modules[leaf] = block
