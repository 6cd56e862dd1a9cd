"""What opening an archive returns: a graph of aten operations with the weights under their original names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn

from advisor.errors import ModelLoadError

_NAME = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*", re.ASCII)
_LONGEST_NAME = 500
LARGEST_TENSOR = 2**31  # elements; no activation or weight of a vision network comes near 8 GB of float32


@dataclass(frozen=True)
class OpenedGraph:
    """A network in evaluation semantics; `input_shape` includes the batch, `input_name` is empty where unknown."""

    module: fx.GraphModule
    input_shape: tuple[int, ...]
    input_dtype: torch.dtype = torch.float32
    input_name: str = ""
    notes: tuple[str, ...] = ()


def checked_name(name: object) -> str:
    """Return a dotted name of letters, digits and underscores; anything else could become code in a graph."""
    if not isinstance(name, str) or len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
        raise ModelLoadError(
            "the archive holds a name that is not one",
            where=repr(name)[:80],
            remedy="Names consist of letters, digits, underscores and dots; save the network again with torch.",
        )
    return name


def shown(text: object) -> str:
    """Return a text from a file as it may be printed: short and without control characters."""
    return "".join(c if c.isprintable() else "?" for c in str(text))[:200]


def assemble(graph: fx.Graph, tensors: Mapping[str, Tensor]) -> fx.GraphModule:
    """Put a graph and the weights it reads by name together; weights that nothing reads are kept, too."""
    root = nn.Module()
    for name, tensor in tensors.items():
        path, _, leaf = checked_name(name).rpartition(".")
        _put(_holder(root, path), leaf, tensor)
    graph.set_codegen(fx.graph.CodeGen())
    module = fx.GraphModule(root, graph)
    for name, tensor in tensors.items():
        path, _, leaf = name.rpartition(".")
        _put(_holder(module, path), leaf, tensor)
    module.graph.lint()
    return module.eval()


def _holder(root: nn.Module, path: str) -> nn.Module:
    for part in filter(None, path.split(".")):
        child = root._modules.get(part)
        if child is None:
            child = nn.Module()
            root._modules[part] = child
        root = child
    return root


def _put(holder: nn.Module, leaf: str, tensor: Tensor) -> None:
    if hasattr(holder, leaf) and leaf not in holder._parameters and leaf not in holder._buffers:
        raise ModelLoadError("the archive names a weight like a part of torch itself", where=leaf)
    if isinstance(tensor, nn.Parameter):
        holder._parameters[leaf] = tensor
    else:
        holder._buffers[leaf] = tensor
