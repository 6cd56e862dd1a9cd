"""What becomes part of the operation before (or after) it: scales of a layer, sums before a norm, scales of a product.

Patterns look through views, which move no data.
"""

from advisor.schema import CONV_KINDS, OpKind
from advisor.schema.workload import Attr

from .absorb import SUMS
from .graph import Graph, Node
from .spell import gated

_SCALES = frozenset({"mul", "div"})


def fold_scales(graph: Graph) -> None:
    """Fold products with and sums of constants into the convolution before them, as constant weights allow."""
    readers, makers = graph.readers(), graph.makers()
    gone: list[Node] = []
    for node in graph.nodes:
        if node.kind is not OpKind.ELEMENTWISE or len(node.inputs) != 1 or node.function not in ("mul", "add"):
            continue
        layer = makers.get(node.inputs[0])
        if layer is None or layer.kind not in CONV_KINDS or readers[node.inputs[0]] != 1 or layer.fused:
            continue
        if not _per_channel(graph, node):
            continue
        layer.outputs = node.outputs
        makers[node.outputs[0]] = layer
        gone.append(node)
    graph.drop(gone)


def _per_channel(graph: Graph, node: Node) -> bool:
    """Whether the constant operand has one value per channel; its shape is known where it is a weight."""
    channels = graph.shape(node.outputs[0])[1] if len(graph.shape(node.outputs[0])) == 4 else 0
    sizes = [graph.workload.weight[name].elements for name in node.weights if name in graph.workload.weight]
    return bool(sizes) and all(size in (channels, 1) for size in sizes)


def join_biases(graph: Graph) -> None:
    """Join a product with a matrix and the bias that is added to it, perhaps behind views."""
    readers, makers = graph.readers(), graph.makers()
    names: dict[int, int] = {}
    gone: list[Node] = []
    for node in graph.nodes:
        if node.function not in SUMS or len(node.inputs) != 1 or len(node.weights) != 1:
            continue
        tensor = node.inputs[0]
        layer = makers.get(tensor)
        while layer is not None and layer.kind is OpKind.VIEW and len(layer.outputs) == 1 and readers[tensor] == 1:
            tensor = layer.inputs[0]
            layer = makers.get(tensor)
        bias = graph.workload.weight.get(node.weights[0])
        if layer is None or layer.kind is not OpKind.LINEAR or readers[tensor] != 1 or len(layer.weights) != 1:
            continue
        if bias is None or len(bias.shape) != 1 or bias.elements != graph.shape(node.outputs[0])[-1]:
            continue
        layer.weights += node.weights
        names[node.outputs[0]] = node.inputs[0]
        gone.append(node)
    graph.drop(gone)
    graph.rename(names)


def skip_norms(graph: Graph) -> None:
    """Let a layer norm add its two operands itself where nothing else reads the sum."""
    readers, makers = graph.readers(), graph.makers()
    gone: list[Node] = []
    for node in graph.nodes:
        if node.kind is not OpKind.NORM_LAYER or node.function != "layer_norm":
            continue
        total = makers.get(node.inputs[0])
        if total is None or total.function not in SUMS or readers[node.inputs[0]] != 1:
            continue
        shapes = {graph.shape(t) for t in (*total.inputs, *total.outputs)}
        if len(total.inputs) != 2 or len(shapes) != 1 or len(next(iter(shapes))) != 3:
            continue
        node.inputs = list(total.inputs)
        node.fused.append("add")
        gone.append(total)
    graph.drop(gone)


def scale_products(graph: Graph) -> None:
    """Let products of activations scale and transpose their operands themselves."""
    products = [node for node in graph.nodes if node.kind is OpKind.MATMUL]
    if not products:
        return
    readers, makers, users = graph.readers(), graph.makers(), graph.users()
    gone: list[Node] = []
    names: dict[int, int] = {}
    for node in products:
        for place in range(len(node.inputs)):
            _take_in(graph, node, place, readers, makers, gone)
        _take_out(node, users, names, gone)
    graph.drop(gone)
    graph.rename(names)


def _take_in(
    graph: Graph, node: Node, place: int, readers: dict[int, int], makers: dict[int, Node], gone: list[Node]
) -> None:
    views: list[Node] = []
    tensor = node.inputs[place]
    while (before := makers.get(tensor)) is not None and readers[tensor] == 1 and len(before.inputs) == 1:
        if before.kind is OpKind.VIEW and len(before.outputs) == 1:
            views.append(before)
        elif _is_scale(before) or _swaps_last(graph, before):
            _bridge(node, place, views, before)
            gone.append(before)
        else:
            return
        tensor = before.inputs[0]


def _bridge(node: Node, place: int, views: list[Node], before: Node) -> None:
    if views:
        views[-1].inputs = list(before.inputs)
    else:
        node.inputs[place] = before.inputs[0]


def _is_scale(node: Node) -> bool:
    return node.kind is OpKind.ELEMENTWISE and node.function in _SCALES and "scalar" in node.attrs


def _swaps_last(graph: Graph, node: Node) -> bool:
    order = node.attrs.get("dims")
    if node.function != "permute" or not isinstance(order, tuple) or len(order) < 2:
        return False
    rank = len(order)
    return order == (*range(rank - 2), rank - 1, rank - 2)


def _take_out(node: Node, users: dict[int, list[Node]], names: dict[int, int], gone: list[Node]) -> None:
    """Absorb a scale of the result, behind reshapes too."""
    tensor = node.outputs[0]
    while len(found := users.get(tensor, [])) == 1 and len(found[0].outputs) == 1:
        reader = found[0]
        if _is_scale(reader):
            names[reader.outputs[0]] = reader.inputs[0]
            gone.append(reader)
            return
        if reader.kind is not OpKind.VIEW:
            return
        tensor = reader.outputs[0]


def split_gates(graph: Graph) -> None:
    """Write hard-swish that no layer took in as its gate and a product, as onnxruntime does."""
    nodes: list[Node] = []
    for node in graph.nodes:
        if node.kind is OpKind.ACTIVATION and node.function == "hardswish":
            nodes += gated(graph, node)
        else:
            nodes.append(node)
    graph.nodes = nodes


def share_ranges(graph: Graph) -> None:
    """Let linear layers with dynamic ranges that read one tensor share its quantization; others quantize inside."""
    users: dict[int, list[Node]] = {}
    for node in graph.nodes:
        if node.kind is OpKind.LINEAR and node.precision == "int8" and node.inputs:
            users.setdefault(node.inputs[0], []).append(node)
    shared = {tensor: nodes for tensor, nodes in users.items() if len(nodes) > 1}
    nodes: list[Node] = []
    for node in graph.nodes:
        first = shared.pop(node.inputs[0], None) if node.inputs and node.kind is OpKind.LINEAR else None
        if first is not None:
            source = node.inputs[0]
            integer = graph.add_tensor(graph.shape(source), "int8")
            attrs: dict[str, Attr] = {"function": "quantize", "dynamic": True}
            nodes.append(Node(OpKind.QUANTIZE, "quantize", [source], (integer,), attrs, name="quantize"))
            for user in first:
                user.inputs[0] = integer
        nodes.append(node)
    graph.nodes = nodes
