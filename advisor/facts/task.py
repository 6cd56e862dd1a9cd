"""What a network is for, how many classes it tells apart and where its head sits, judged by its outputs."""

from itertools import takewhile
from math import prod
from typing import Any

from advisor.schema import WEIGHTED_KINDS, Op, OpKind, Workload

from .graph import Graph
from .heads import distributes_boxes

_STRIDES = (8, 16, 32)  # of the maps that one-stage detectors predict on; some add 64 or 128 above, or 4 below
_ANCHORS = (1, 2, 3)  # boxes per cell
_CLOSING = frozenset({OpKind.VIEW, OpKind.MOVE, OpKind.SOFTMAX, OpKind.ACTIVATION, OpKind.QUANTIZE})
_POOLING = frozenset({OpKind.POOL, OpKind.REDUCE})
_SUFFIXES = ("_DequantizeLinear", "_quantized", ".weight", ".bias", "_weight")


def task_facts(workload: Workload, graph: Graph, family: str) -> dict[str, Any]:
    """Return model.task, model.head_type, model.classes and model.head; what cannot be told is None."""
    outputs = [graph.shape(t) for t in workload.outputs]
    image = workload.input_shapes[0] if workload.input_shapes else ()
    single = outputs[0] if len(outputs) == 1 else ()
    task = _task(workload, graph, family, outputs, image)
    classes = None
    if task in ("classification", "segmentation") and outputs and len(outputs[0]) > 1:
        classes = outputs[0][1]
    return {
        "model.task": task,
        "model.head_type": _head_type(workload, task, single),
        "model.classes": classes,
        "model.head": _head(workload, graph),
    }


def _head_type(workload: Workload, task: str | None, output: tuple[int, ...]) -> str:
    if task == "detection" and distributes_boxes(workload):
        return "dfl"
    return "classifier" if task == "classification" else "dense" if len(output) == 4 else "other"


def _task(
    workload: Workload, graph: Graph, family: str, outputs: list[tuple[int, ...]], image: tuple[int, ...]
) -> str | None:
    if family == "detector" or _detects(outputs, image):
        return "detection"
    first = outputs[0] if outputs else ()
    if len(first) == 4 and len(image) == 4:
        if first[1] == image[1] and min(first[2:]) > min(image[2:]):
            return "superres"
        same = first[2:] == image[2:] and first[1] > 1
        return "segmentation" if family == "segmenter" or same else None
    if len(outputs) == 1 and len(first) == 2:
        return "embedding" if _is_pooled(workload, graph) else "classification"
    return None


def _detects(outputs: list[tuple[int, ...]], image: tuple[int, ...]) -> bool:
    """Tell the outputs of detectors: one row per grid cell, maps at several strides, or boxes beside scores."""
    if len(image) != 4:
        return False
    cells = {stride: prod(-(-side // stride) for side in image[2:]) for stride in (4, *_STRIDES, 64, 128)}
    usual = sum(cells[stride] for stride in _STRIDES)
    counts = {
        total * anchors
        for total in (usual, usual + cells[64], usual + cells[64] + cells[128], usual + cells[4])
        for anchors in _ANCHORS
    }
    rows = [o for o in outputs if len(o) == 3]
    if any(count in o[1:] for o in rows for count in counts):
        return True
    if any(a[:2] == b[:2] and 4 in (a[2], b[2]) and a[2] != b[2] for a in rows for b in rows):
        return True
    maps = {o[2:] for o in outputs if len(o) in (4, 5)}
    sizes = {tuple(-(-side // stride) for side in image[2:]) for stride in _STRIDES}
    return len(maps & sizes) == len(_STRIDES) and len({o[1] for o in outputs if len(o) == 4}) <= 2


def _is_pooled(workload: Workload, graph: Graph) -> bool:
    """Tell whether the only output is pooled features; a pooled map of a bare convolution is a classifier."""
    op = _closing(graph, workload.outputs[0])
    if op is None or op.kind in WEIGHTED_KINDS or op.kind is OpKind.MATMUL:
        return False
    if op.kind in _POOLING and op.inputs:
        before = _closing(graph, op.inputs[0])
        return before is None or before.kind not in WEIGHTED_KINDS
    return op.kind in (OpKind.NORM_LAYER, OpKind.NORM_BATCH)


def _closing(graph: Graph, tensor: int) -> Op | None:
    """Return the operation behind an output, looking through views, softmax and activations."""
    op = graph.producer.get(tensor)
    while op is not None and op.kind in _CLOSING and op.inputs:
        op = graph.producer.get(op.inputs[0])
    return op


def _head(workload: Workload, graph: Graph) -> str | None:
    """Name the module (or the weight) of the last layer before the outputs; of several, what they have in common."""
    parts = [t for output in workload.outputs for t in _joined(graph, output)]
    names = list(dict.fromkeys(name for t in parts if (name := _last_layer(graph, t))))
    if len(names) <= 1:
        return names[0] if names else None
    shared = takewhile(lambda parts: len(set(parts)) == 1, zip(*(name.split(".") for name in names), strict=False))
    return ".".join(parts[0] for parts in shared) or None


def _joined(graph: Graph, tensor: int) -> tuple[int, ...]:
    """Return the parts of an output that a last concatenation puts together."""
    op = _closing(graph, tensor)
    return op.inputs if op is not None and op.kind is OpKind.CONCAT else (tensor,)


def _last_layer(graph: Graph, tensor: int) -> str | None:
    """Walk back from a tensor to the nearest weighted layer, breadth first."""
    seen, row = {tensor}, [tensor]
    while row:
        following: list[int] = []
        for one in row:
            op = graph.producer.get(one)
            if op is None:
                continue
            if op.kind in WEIGHTED_KINDS:
                return op.module or (_stem(op.weights[0]) if op.weights else op.name)
            following += [t for t in op.inputs if t not in seen]
            seen.update(op.inputs)
        row = following
    return None


def _stem(weight: str) -> str:
    """Cut what stands for the kind of tensor off the name of a weight."""
    for suffix in _SUFFIXES:
        weight = weight.removesuffix(suffix)
    return weight
