"""What exporters write in place of one operation: attention as products and a softmax, rolls as split and concat."""

from collections.abc import Iterator

from advisor.schema import OpKind
from advisor.schema.workload import Attr

from .graph import Graph, Node


def spell_out(graph: Graph, gates: tuple[str, ...], *, integer: bool) -> None:
    """Replace attention and rolls; in an integer graph also activations of the kind x * gate(x) named in `gates`."""
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.kind is OpKind.ATTENTION:
            nodes += _attention(graph, node, integer)
        elif node.function == "roll":
            nodes += _roll(graph, node)
        elif node.kind is OpKind.ACTIVATION and node.function in gates:
            nodes += gated(graph, node)
        elif node.function == "group_norm":
            nodes += _group_norm(graph, node)
        elif node.function == "addcmul":
            nodes += _product_and_sum(graph, node)
        else:
            nodes.append(node)
    graph.nodes = nodes


def _attention(graph: Graph, node: Node, integer: bool) -> Iterator[Node]:
    query, key, value = node.inputs[:3]
    shape, width = graph.shape(query), graph.shape(key)
    scores = (*shape[:-1], width[-2])
    base: dict[str, Attr] = {"heads": node.attrs.get("heads"), "function": "matmul"}
    if integer:  # float kernels transpose and scale while they multiply
        turned = graph.add_tensor((*width[:-2], width[-1], width[-2]))
        order = (*range(len(width) - 2), len(width) - 1, len(width) - 2)
        yield Node(OpKind.MOVE, "permute", [key], (turned,), {"function": "permute", "dims": order}, name=node.name)
        scaled = [graph.add_tensor(shape), graph.add_tensor(graph.shape(turned))]
        for source, result in zip((query, turned), scaled, strict=True):
            scale: dict[str, Attr] = {"function": "mul", "scalar": 1.0}
            yield Node(OpKind.ELEMENTWISE, "mul", [source], (result,), scale, name=node.name)
        query, key = scaled
    products, weights = graph.add_tensor(scores), graph.add_tensor(scores)
    first = Node(OpKind.MATMUL, "matmul", [query, key], (products,), base, (), node.macs // 2, node.precision)
    first.name, first.origin = node.name, node.origin
    yield first
    if len(node.inputs) > 3 or node.weights:
        masked = graph.add_tensor(scores)
        yield Node(
            OpKind.ELEMENTWISE, "add", [products, *node.inputs[3:]], (masked,), {"function": "add"}, node.weights
        )
        products = masked
    attrs: dict[str, Attr] = {"function": "softmax", "dim": len(scores) - 1}
    yield Node(OpKind.SOFTMAX, "softmax", [products], (weights,), attrs, name=node.name)
    rest = node.macs - node.macs // 2
    second = Node(OpKind.MATMUL, "matmul", [weights, value], node.outputs, base, (), rest, node.precision)
    second.name, second.origin = node.name, node.origin
    yield second


def _roll(graph: Graph, node: Node) -> Iterator[Node]:
    dims = node.attrs.get("dims")
    axes = dims if isinstance(dims, tuple) else (0,)
    source = node.inputs[0]
    shape = graph.shape(source)
    for place, axis in enumerate(axes):
        half = list(shape)
        half[axis] = max(half[axis] // 2, 1)
        parts = tuple(graph.add_tensor(tuple(half), graph.tensors[source].dtype) for _ in range(2))
        last = place == len(axes) - 1
        result = node.outputs[0] if last else graph.add_tensor(shape, graph.tensors[source].dtype)
        yield Node(OpKind.MOVE, "split", [source], parts, {"function": "split", "dim": axis}, name=node.name)
        yield Node(OpKind.CONCAT, "concat", list(parts), (result,), {"function": "concat", "dim": axis}, name=node.name)
        source = result


def gated(graph: Graph, node: Node) -> Iterator[Node]:
    """Write an activation of the kind x * gate(x) as its gate and a product."""
    gate = "sigmoid" if node.function == "silu" else "hardsigmoid"
    opened = graph.add_tensor(graph.shape(node.inputs[0]))
    yield Node(OpKind.ACTIVATION, gate, list(node.inputs), (opened,), {"function": gate}, name=node.name)
    inputs = [node.inputs[0], opened]
    yield Node(OpKind.ELEMENTWISE, "mul", inputs, node.outputs, {"function": "mul"}, name=node.name)


def _group_norm(graph: Graph, node: Node) -> Iterator[Node]:
    """Normalise each group, then scale and shift the channels."""
    shape = graph.shape(node.outputs[0])
    normed, scaled = graph.add_tensor(shape), graph.add_tensor(shape)
    attrs: dict[str, Attr] = {**node.attrs, "function": "instance_norm"}
    yield Node(OpKind.NORM_LAYER, "instance_norm", node.inputs[:1], (normed,), attrs, name=node.name)
    scale, shift = node.weights[:1], node.weights[1:]
    yield Node(OpKind.ELEMENTWISE, "mul", [normed], (scaled,), {"function": "mul"}, scale, name=node.name)
    yield Node(OpKind.ELEMENTWISE, "add", [scaled], node.outputs[:1], {"function": "add"}, shift, name=node.name)


def _product_and_sum(graph: Graph, node: Node) -> Iterator[Node]:
    """Write a + b * c as two operations; the operands that are weights are no inputs."""
    product = graph.add_tensor(graph.shape(node.outputs[0]))
    wide = [t for t in node.inputs if graph.shape(t) == graph.shape(node.outputs[0])]
    first, rest = wide[:1], [t for t in node.inputs if t not in wide[:1]]
    if not rest:
        first, rest = [], wide
    yield Node(OpKind.ELEMENTWISE, "mul", rest, (product,), {"function": "mul"}, node.weights, name=node.name)
    yield Node(OpKind.ELEMENTWISE, "add", [*first, product], node.outputs, {"function": "add"}, name=node.name)
