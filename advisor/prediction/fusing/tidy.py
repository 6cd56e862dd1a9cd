"""What exporters and runtimes leave out: constant subgraphs, operations that change nothing; and which views copy."""

from advisor.schema import CONV_KINDS, OpKind

from .graph import Graph, Node

_NOTHING = frozenset({"identity", "copy"})
_SHAPE_ONLY = frozenset({"reshape", "expand", "slice", "cast", "squeeze", "unsqueeze", "concat"})
_IDLE = frozenset({OpKind.VIEW, OpKind.MOVE, OpKind.CONCAT})
_COPIES = frozenset({"permute", "slice", "select", "split", "unbind", "expand", "as_strided"})
_SPLITS = frozenset({"split", "unbind"})


def fold_constants(graph: Graph) -> None:
    """Drop what depends on weights alone, and no longer read its results."""
    live = set(graph.inputs)
    kept: list[Node] = []
    for node in graph.nodes:
        inputs = [t for t in node.inputs if t in live]
        if not inputs:
            continue
        if len(inputs) != len(node.inputs):
            node.inputs = inputs
        live.update(node.outputs)
        kept.append(node)
    if kept:
        graph.nodes = kept


def drop_unread(graph: Graph) -> None:
    """Drop what nobody reads."""
    wanted = set(graph.outputs)
    kept: list[Node] = []
    for node in reversed(graph.nodes):
        if wanted.isdisjoint(node.outputs):
            continue
        wanted.update(node.inputs)
        kept.append(node)
    graph.nodes = kept[::-1]


def drop_empty(graph: Graph) -> None:
    """Drop operations that hand their input on unchanged."""
    names: dict[int, int] = {}
    gone: list[Node] = []
    for node in graph.nodes:
        if _neutral(node):
            names[node.outputs[0]] = node.inputs[0]
            gone.append(node)
            continue
        if node.kind not in _IDLE or len(node.outputs) != 1 or len(node.inputs) != 1 or node.weights:
            continue
        source, result = node.inputs[0], node.outputs[0]
        old, new = graph.tensors[source], graph.tensors[result]
        same = old.shape == new.shape and old.dtype == new.dtype
        if node.function in _NOTHING or (same and node.function in _SHAPE_ONLY):
            names[result] = source
            gone.append(node)
    if gone:
        graph.drop(gone)
        graph.rename(names)


def merge_equal(graph: Graph) -> None:
    """Compute once what is computed twice from one tensor without weights; integer views have scales of their own."""
    readers = graph.readers()
    first: dict[tuple[object, ...], Node] = {}
    names: dict[int, int] = {}
    gone: list[Node] = []
    for node in graph.nodes:
        if (graph.integer and node.kind is OpKind.VIEW) or node.weights or len(node.outputs) != 1:
            continue
        if not node.inputs or any(readers[t] < 2 for t in node.inputs):
            continue
        inputs = tuple(names.get(t, t) for t in node.inputs)
        key = (node.kind, node.function, inputs, graph.shape(node.outputs[0]), tuple(sorted(node.attrs.items())))
        known = first.setdefault(key, node)
        if known is not node:
            names[node.outputs[0]] = known.outputs[0]
            gone.append(node)
    graph.drop(gone)
    graph.rename(names)


def _neutral(node: Node) -> bool:
    """Whether a node adds nothing, or multiplies or divides by one."""
    if node.kind is not OpKind.ELEMENTWISE or len(node.inputs) != 1 or node.weights:
        return False
    neutral = {"add": 0.0, "sub": 0.0, "mul": 1.0, "div": 1.0}.get(node.function)
    return neutral is not None and node.attrs.get("scalar") == neutral


def pad_in_layers(graph: Graph) -> None:
    """Let a convolution do the zero padding before it."""
    readers, makers = graph.readers(), graph.makers()
    gone: list[Node] = []
    for node in graph.nodes:
        if node.kind not in CONV_KINDS or not node.inputs:
            continue
        pad = makers.get(node.inputs[0])
        if pad is None or pad.function != "pad" or readers[node.inputs[0]] != 1 or pad.attrs.get("scalar", 0) != 0:
            continue
        if graph.shape(pad.inputs[0])[:2] == graph.shape(pad.outputs[0])[:2]:
            node.inputs = [pad.inputs[0], *node.inputs[1:]]
            gone.append(pad)
    graph.drop(gone)


def merge_permutations(graph: Graph) -> None:
    """Merge transposes that follow each other, and let transposes sink through splits, as transpose optimisers do."""
    readers, makers = graph.readers(), graph.makers()
    gone: list[Node] = []
    placed: dict[int, list[Node]] = {}
    for node in graph.nodes:
        before = makers.get(node.inputs[0]) if node.inputs else None
        if before is None or before.function != "permute" or readers[node.inputs[0]] != 1:
            continue
        order = before.attrs.get("dims")
        if not isinstance(order, tuple) or id(before) in {id(n) for n in gone}:
            continue
        later = node.attrs.get("dims")
        if node.function == "permute" and isinstance(later, tuple) and len(later) == len(order):
            node.attrs = {**node.attrs, "dims": tuple(order[d] for d in later)}
            node.inputs = list(before.inputs)
            gone.append(before)
        elif node.function in _SPLITS and len(node.outputs) > 1:
            _sink(graph, before, node, order, placed)
            gone.append(before)
    if not gone:
        return
    for position in range(len(graph.nodes) - 1, -1, -1):
        if id(graph.nodes[position]) in placed:
            graph.nodes[position + 1 : position + 1] = placed[id(graph.nodes[position])]
    graph.drop(gone)


def _sink(graph: Graph, before: Node, split: Node, order: tuple[int, ...], placed: dict[int, list[Node]]) -> None:
    """Split first and transpose each part."""
    source = graph.tensors[before.inputs[0]]
    axis = split.attrs.get("dim")
    axis = order[axis] if isinstance(axis, int) and axis < len(order) else 0
    parts, moves = [], []
    for result in split.outputs:
        shape = list(source.shape)
        shape[axis] = max(shape[axis] // len(split.outputs), 1)
        part = graph.add_tensor(tuple(shape), source.dtype)
        parts.append(part)
        moves.append(Node(OpKind.MOVE, "permute", [part], (result,), before.attrs, name=before.name))
    split.inputs, split.outputs = list(before.inputs), tuple(parts)
    placed[id(split)] = moves


def mark_copies(graph: Graph) -> None:
    """Call views that this runtime carries out by copying what they are: moves."""
    for node in graph.nodes:
        if node.kind is OpKind.VIEW and node.function in _COPIES:
            if node.function == "permute" and _stays(graph, node):
                continue
            if node.function == "expand" and graph.shape(node.inputs[0]) == graph.shape(node.outputs[0]):
                continue
            node.kind = OpKind.MOVE


def _stays(graph: Graph, node: Node) -> bool:
    """Whether a transpose moves axes of length one only."""
    order, shape = node.attrs.get("dims"), graph.shape(node.inputs[0])
    if not isinstance(order, tuple) or len(order) != len(shape):
        return False
    long = [d for d in order if shape[d] > 1]
    return long == sorted(long)
