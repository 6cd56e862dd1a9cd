"""Which nodes of an ONNX graph stay float: those asked for, what transformers need, and the decoding of detections."""

from typing import Any

from advisor.errors import NotApplicable, nearest

from .graph import Graph, kind_of
from .step import StaticInt8

_OPS_OF_KIND = {
    "conv": ("Conv",),
    "conv_1x1": ("Conv",),
    "conv_grouped": ("Conv",),
    "conv_depthwise": ("Conv",),
    "conv_transposed": ("ConvTranspose",),
    "linear": ("Gemm", "MatMul"),
    "matmul": ("MatMul",),
    "attention": ("MatMul", "Attention", "MultiHeadAttention"),
    "norm_batch": ("BatchNormalization",),
    "norm_layer": ("LayerNormalization", "InstanceNormalization", "GroupNormalization", "SkipLayerNormalization"),
    "softmax": ("Softmax",),
    "activation": ("Relu", "Clip", "LeakyRelu", "Sigmoid", "HardSigmoid", "HardSwish", "Gelu", "Tanh", "Elu"),
    "elementwise": ("Add", "Sub", "Mul", "Div"),
    "pool": ("MaxPool", "AveragePool", "GlobalAveragePool"),
    "reduce": ("ReduceMean", "ReduceSum"),
    "resize": ("Resize",),
    "concat": ("Concat",),
    "move": ("Transpose", "Pad", "Gather", "Slice"),
}
_FLOAT = (
    "LayerNormalization", "SkipLayerNormalization", "GroupNormalization", "InstanceNormalization",
    "Gelu", "FastGelu", "QuickGelu",
)  # fmt: skip
_HEAVY = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul", "Attention", "MultiHeadAttention"})
_MOVES = frozenset({"Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "Identity"})
_DECODING = frozenset({"Concat", "Exp", "Sub", "Div", "Split", "TopK", "NonMaxSuppression", "GatherND"})


def float_nodes(graph: Graph, step: StaticInt8) -> frozenset[str]:
    """Return the names of nodes that keep floats.

    Norms, softmax, GELU and the joins between blocks of transformers spread over ranges that 256 levels do not hold.
    Boxes and scores of a detector would share one range behind its last layers (rule DT-01).
    """
    nodes = list(graph.model.graph.node)
    shapes = {name: tuple(tensor.dims) for name, tensor in graph.constants.items()}
    kept = {node.name for node in nodes if any(_is(node, kind, shapes) for kind in step.float_kinds)}
    layers = named(graph, step.float_layers)
    kept |= layers | behind(graph, layers)
    tail = behind_layers(graph)
    if step.float_transformer:
        kept |= {node.name for node in nodes if node.op_type in _FLOAT} | _spelled_out_gelu(graph)
        if attends(graph, tail):
            kept |= {node.name for node in nodes if node.op_type == "Softmax"} | _token_paths(graph)
    if any(node.op_type in _DECODING for node in tail):
        kept |= {node.name for node in tail}
    return frozenset(kept - {""})


def named(graph: Graph, wanted: tuple[str, ...]) -> set[str]:
    """Return the names of the nodes that layers of these names are, or nodes themselves; refuse unknown ones."""
    known: dict[str, set[str]] = {}
    for layer in graph.layers():
        known.setdefault(layer.name, set()).add(layer.node.name)
    for node in graph.model.graph.node:
        known.setdefault(node.name, set()).add(node.name)
    for name in wanted:
        if name not in known:
            raise NotApplicable(
                f"static_int8: the graph has no layer {name!r} to keep in float",
                remedy=nearest(name, known) or f"Its layers: {', '.join(list(known)[:10])}, ...",
            )
    return {node for name in wanted for node in known[name]}


def behind(graph: Graph, layers: set[str]) -> set[str]:
    """Return the nodes that only float layers feed: activations, gates and sums between them and the next layers."""
    found: set[str] = set()
    floats: set[str] = set()  # tensors that come from float layers alone
    for node in graph.model.graph.node:
        read = {name for name in node.input if name and name not in graph.constants}
        dragged = node.op_type not in _HEAVY and bool(read) and read <= floats
        if node.name in layers or dragged:
            floats |= set(node.output)
            found.add(node.name)
    return found


def attends(graph: Graph, tail: list[Any]) -> bool:
    """Whether the graph has a softmax from which a layer is still to come, as attention has."""
    last = {id(node) for node in tail}
    return any(node.op_type == "Softmax" and id(node) not in last for node in graph.model.graph.node)


def behind_layers(graph: Graph) -> list[Any]:
    """Return the nodes behind the last layers.

    A distribution over distances (softmax, then a convolution with fixed weights) is decoding and no layer.
    """
    before: set[str] = set()  # tensors from which a layer is still to come
    tail: list[Any] = []
    for node in reversed(graph.model.graph.node):
        layer = node.op_type in _HEAVY and not (node.op_type == "Conv" and _reads_softmax(graph, node))
        if layer or before & set(node.output):
            before |= set(node.input)
        else:
            tail.append(node)
    return tail


def _reads_softmax(graph: Graph, node: Any) -> bool:
    maker = graph.maker.get(node.input[0])
    while maker is not None and maker.op_type in _MOVES:
        maker = graph.maker.get(maker.input[0])
    return maker is not None and maker.op_type == "Softmax"


def _is(node: Any, kind: str, shapes: dict[str, tuple[int, ...]]) -> bool:
    if node.op_type not in _OPS_OF_KIND.get(kind, ()):
        return False
    if node.op_type == "Conv":
        return kind == kind_of(node, shapes.get(node.input[1], ()))
    if node.op_type == "MatMul":
        return (kind == "linear") == any(name in shapes for name in node.input)
    return True


def _token_paths(graph: Graph) -> set[str]:
    """Find the sums and concatenations along which the blocks of a transformer pass their tokens to LayerNorms."""
    if not any(node.op_type == "LayerNormalization" for node in graph.model.graph.node):
        return set()
    joins = (node for node in graph.model.graph.node if node.op_type in ("Add", "Concat"))
    return {n.name for n in joins if n.op_type == "Concat" or not any(name in graph.constants for name in n.input)}


def _spelled_out_gelu(graph: Graph) -> set[str]:
    """Find the divisions, additions and products around each Erf, which onnxruntime fuses to one GELU if left float."""
    kept: set[str] = set()
    for erf in (node for node in graph.model.graph.node if node.op_type == "Erf"):
        before = graph.maker.get(erf.input[0])
        chain = [before] if before is not None else []
        ends = [erf]
        for wanted in ("Add", "Mul", "Mul"):
            readers = [reader for end in ends for reader in graph.readers.get(end.output[0], ())]
            ends = [reader for reader in readers if reader.op_type == wanted]
            chain += ends
        kept |= {node.name for node in chain if node.op_type in ("Add", "Mul", "Div")}
    return kept
