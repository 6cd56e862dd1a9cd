"""From a module of ours to its graph of aten operations, with the batch left open where the network allows it."""

import logging
from collections.abc import Callable

import torch
from torch import Tensor, fx, nn

from .fake_pass import quiet
from .opened import assemble

_SMALLEST_OPEN = 2  # torch takes an example of one for a fixed size


def export_graph(
    module: nn.Module, shape: tuple[int, ...], dtype: torch.dtype, rename: Callable[[str], str]
) -> tuple[fx.GraphModule, bool]:
    """Return the graph and whether its batch is open; `rename` gives a weight its final name.

    Several results are a tuple, even if they had names. Whatever the exporter raises with a fixed batch passes through.
    """
    example = (max(shape[0], _SMALLEST_OPEN), *shape[1:])
    try:
        graph, weights = _export(module, torch.zeros(example, dtype=dtype), open_batch=True)
        (first, *_) = graph.find_nodes(op="placeholder")
        if not isinstance(first.meta["val"].shape[0], int):
            return _named(graph, weights, rename), True
    except Exception:  # the exporter raises dozens of private classes; a fixed batch may still work
        logging.getLogger(__name__).debug("no graph with an open batch", exc_info=True)
    graph, weights = _export(module, torch.zeros(shape, dtype=dtype), open_batch=False)
    return _named(graph, weights, rename), False


def _export(module: nn.Module, example: Tensor, *, open_batch: bool) -> tuple[fx.Graph, dict[str, Tensor]]:
    axes = {0: torch.export.Dim.AUTO} if open_batch else {}
    with quiet(), torch.no_grad():
        # One entry per argument of a variadic forward: a tuple of tuples.
        program = torch.export.export(module, (example,), dynamic_shapes=((axes,),), strict=False)
        exported = program.module()
    weights = dict(exported.named_parameters(remove_duplicate=False)) | dict(
        exported.named_buffers(remove_duplicate=False)
    )
    graph = exported.graph
    for node in graph.find_nodes(op="call_module"):  # checks of the input's shape
        graph.erase_node(node)
    return graph, weights


def _named(graph: fx.Graph, weights: dict[str, Tensor], rename: Callable[[str], str]) -> fx.GraphModule:
    names = {name: rename(name) for name in weights}
    if len(set(names.values())) < len(names):
        names = {name: name for name in weights}
    for node in graph.nodes:
        if node.op == "get_attr":
            node.target = names[node.target]
        node.meta = {}
    result = graph.output_node()
    (results,) = result.args
    if isinstance(results, tuple | list) and len(results) == 1:  # the exporter returns a tuple in any case
        result.args = (results[0],)
    return assemble(graph, {names[name]: tensor for name, tensor in weights.items()})
