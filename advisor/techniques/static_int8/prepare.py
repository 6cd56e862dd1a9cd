"""The float graph that is quantized: folded, unambiguous, and changed where that makes it easier to round.

Smoothing and equalization move factors between layers; the network computes what it did before.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from advisor.techniques.refusing import refusing

from . import equalize as equalization
from . import smooth as smoothing
from .graph import Array, Graph, give_biases, separate
from .observe import outputs, sqnr, tensors
from .step import StaticInt8

Images = Callable[[], Iterator[Array]]

PREPARED = "prepared.onnx"
OPEN_SQNR = 25.0  # decibels that outputs must keep when ReLU6 becomes ReLU: less error than int8 itself makes
_CHECKED = 4  # batches on which that is looked at


def prepare(step: StaticInt8, source: Path, images: Images, folder: Path) -> tuple[Path, Graph, dict[str, Any]]:
    """Write the graph to quantize; return the file, what it holds, and what was done, as details."""
    graph = fold(source, folder)
    separate(graph)
    details: dict[str, Any] = {}
    if step.bias_correction or step.equalize:
        give_biases(graph)
    if step.smooth:
        reach = smoothing.largest_by_channel(tensors(graph, smoothing.norms(graph), images()))
        details["smoothed_norms"] = smoothing.smooth(graph, step.smooth, reach)
    if step.equalize:
        details |= _equalized(graph, images)
    target = folder / PREPARED
    graph.save(target)
    return target, graph, details


def fold(source: Path, folder: Path) -> Graph:
    """Fold constants and batch norms as onnxruntime would, so that quantize nodes sit where its kernels expect them."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    target = folder / PREPARED
    with refusing("onnxruntime cannot prepare this graph for int8", "Choose half precision, or export the model anew."):
        # Shapes are inferred by the calibrator and the quantizer when they open the file.
        quant_pre_process(source, target, skip_symbolic_shape=True, skip_onnx_shape=True)
    graph = Graph.read(target)
    target.unlink()
    for index, node in enumerate(graph.model.graph.node):  # nodes are excluded from quantization by name
        node.name = node.name or f"node_{index}"
    return graph


def _equalized(graph: Graph, images: Images) -> dict[str, Any]:
    """Equalize what can be; pairs with a ReLU6 between them only if the network does as well with ReLUs there."""
    chosen = equalization.pairs(graph)
    opened = 0
    if any(pair.clips for pair in chosen):
        plain = graph.model.SerializeToString()
        candidate = graph.copy()
        equalization.open_clips(candidate, equalization.pairs(candidate))
        batches = list(islice(images(), _CHECKED))
        kept = sqnr(outputs(plain, batches), outputs(candidate.model.SerializeToString(), batches))
        if kept >= OPEN_SQNR:
            opened = equalization.open_clips(graph, chosen)
        else:
            chosen = tuple(pair for pair in chosen if not pair.clips)
    equalization.equalize(graph, chosen)
    return {"equalized_pairs": len(chosen), **({"opened_clips": opened} if opened else {})}
