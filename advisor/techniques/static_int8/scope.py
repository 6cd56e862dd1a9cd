"""Which nodes of an ONNX graph stay float: those asked for, and what transformers need to keep their accuracy."""

from pathlib import Path
from typing import Any

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
_TRANSFORMER_FLOAT = ("LayerNormalization", "SkipLayerNormalization", "Softmax", "Gelu", "FastGelu", "QuickGelu")


def float_nodes(model: Path, kinds: tuple[str, ...]) -> frozenset[str]:
    """Return the names of nodes that keep floats: those of `kinds` (OpKind values), and what transformers need.

    Norms, softmax and GELU of transformers spread over ranges that 256 levels do not hold.
    """
    import onnx

    graph = onnx.load(model, load_external_data=False).graph
    nodes = list(graph.node)
    shapes = {w.name: tuple(w.dims) for w in graph.initializer}
    kept = {node.name for node in nodes if any(_is(node, kind, shapes) for kind in kinds)}
    types = {node.op_type for node in nodes}
    if "LayerNormalization" in types and "Softmax" in types:
        kept |= {node.name for node in nodes if node.op_type in _TRANSFORMER_FLOAT}
        kept |= _spelled_out_gelu(nodes)
    return frozenset(kept - {""})


def _is(node: Any, kind: str, shapes: dict[str, tuple[int, ...]]) -> bool:
    if node.op_type not in _OPS_OF_KIND.get(kind, ()):
        return False
    if node.op_type == "Conv":
        return kind == _conv_kind(node, shapes.get(node.input[1], ()))
    if node.op_type == "MatMul":
        return (kind == "linear") == any(name in shapes for name in node.input)
    return True


def _conv_kind(node: Any, shape: tuple[int, ...]) -> str:
    groups = next((a.i for a in node.attribute if a.name == "group"), 1)
    if groups > 1:
        return "conv_depthwise" if len(shape) > 1 and shape[1] == 1 else "conv_grouped"
    return "conv_1x1" if shape[2:] and set(shape[2:]) == {1} else "conv"


def _spelled_out_gelu(nodes: list[Any]) -> set[str]:
    """Find the divisions, additions and products around each Erf, which onnxruntime fuses to one GELU if left float."""
    made_by = {output: node for node in nodes for output in node.output}
    read_by: dict[str, list[Any]] = {}
    for node in nodes:
        for name in node.input:
            read_by.setdefault(name, []).append(node)
    kept: set[str] = set()
    for erf in (node for node in nodes if node.op_type == "Erf"):
        before = made_by.get(erf.input[0])
        chain = [before] if before is not None else []
        ends = [erf]
        for wanted in ("Add", "Mul", "Mul"):
            ends = [reader for end in ends for reader in read_by.get(end.output[0], ()) if reader.op_type == wanted]
            chain += ends
        kept |= {node.name for node in chain if node.op_type in ("Add", "Mul", "Div")}
    return kept
