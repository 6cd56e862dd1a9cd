"""Which operations of a quantized graph run on integers, and where values change their form.

A quantizer marks tensors; an operation with an integer kernel whose operands are all marked runs on integers. Others
run in float, with a dequantize node before each of them and a quantize node after. Copies and views carry either form.
"""

from collections.abc import Callable, Iterator

from advisor.schema import MAC_KINDS, OpKind

from .graph import Graph, Node
from .style import Integer

_CARRIERS = frozenset({OpKind.VIEW, OpKind.MOVE})
_CHOSEN = frozenset({OpKind.ELEMENTWISE, OpKind.POOL, OpKind.CONCAT, OpKind.RESIZE})  # the preview makes these integer
_NAMES = {
    OpKind.SOFTMAX: "softmax", OpKind.CONCAT: "concat", OpKind.RESIZE: "resize", OpKind.NORM_BATCH: "batch_norm",
}  # fmt: skip


def is_quantized(graph: Graph) -> bool:
    """Whether activations are integers; dynamic quantization keeps them in float."""
    integers = {t.id for t in graph.tensors.values() if t.dtype in ("int8", "uint8")} | _dequantized(graph)
    return any(node.precision == "int8" and not integers.isdisjoint(node.inputs) for node in _computing(graph))


def _computing(graph: Graph) -> list[Node]:
    return [node for node in graph.nodes if node.kind in MAC_KINDS]


def _dequantized(graph: Graph) -> set[int]:
    return {n.outputs[0] for n in graph.nodes if n.kind is OpKind.QUANTIZE and n.function == "dequantize"}


def name_of(node: Node) -> str:
    """Return the function by which styles know an operation."""
    return "product" if node.kind in MAC_KINDS else _NAMES.get(node.kind, node.function)


def strip(graph: Graph) -> frozenset[int]:
    """Remove the nodes that change forms; return the ids of nodes that the plan keeps in float.

    In a file as quantizers write it, every operation reads what a dequantize node made, and the runtime decides; in a
    planned network only operations in float do.
    """
    dequantized = _dequantized(graph)
    from_file = any(n.precision == "int8" and not dequantized.isdisjoint(n.inputs) for n in _computing(graph))
    kept = frozenset(
        id(node)
        for node in graph.nodes
        if node.precision != "int8"
        and (
            node.kind in MAC_KINDS or (node.kind in _CHOSEN and not from_file and dequantized.intersection(node.inputs))
        )
        and (node.kind is not OpKind.ELEMENTWISE or node.function in ("add", "mul"))
    )
    names = {node.outputs[0]: node.inputs[0] for node in graph.nodes if node.kind is OpKind.QUANTIZE and node.inputs}
    graph.nodes = [node for node in graph.nodes if node.kind is not OpKind.QUANTIZE]
    graph.rename(names)
    return kept


def place(graph: Graph, style: Integer, kept: frozenset[int]) -> None:
    """Give every operation its arithmetic and insert the nodes that change forms."""
    _Placement(graph, style, kept).run()


class _Placement:
    def __init__(self, graph: Graph, style: Integer, kept: frozenset[int]) -> None:
        self.graph = graph
        self.style = style
        names = {node.kind for node in graph.nodes}
        transformer = {OpKind.NORM_LAYER, OpKind.SOFTMAX} <= names
        self.left = frozenset(style.transformer_float) if transformer else frozenset()
        self.kept = kept
        self.root: dict[int, int] = {}
        self.marked: set[int] = set()
        self.readers: dict[int, int] = {}
        self.clipped: set[int] = set()  # what removable activations read
        self.carrying: set[int] = set()  # ids of the nodes that hand on the form of what they read

    def run(self) -> None:
        makers = self.graph.makers()
        self.readers = self.graph.readers()
        self.clipped = {
            _through_views(n.inputs[0], makers) for n in self.graph.nodes if n.function in self.style.removable
        }
        for node in self.graph.nodes:
            if self._may_carry(node, makers):
                self.carrying.add(id(node))
                self.root.update(dict.fromkeys(node.outputs, self._root(node.inputs[0])))
        self._absorb_removable()
        for node in self.graph.nodes:
            if self._quantizes(node):
                self.marked.update(self._root(t) for t in (*node.inputs, *node.outputs))
        self._absorb_before_quantize()
        self.graph.nodes = list(self._placed())

    def _root(self, tensor: int) -> int:
        return self.root.get(tensor, tensor)

    def _may_carry(self, node: Node, makers: dict[int, Node]) -> bool:
        """Quantize nodes move up through views of what one reader takes, but not through splits of it.

        Where a view of floats does not carry, it runs in float and its result is quantized. So it is with a split that
        has a part which clipping gives a range of its own.
        """
        if node.kind not in _CARRIERS or not node.inputs or node.function in self.style.float_moves:
            return False
        if len(node.outputs) == 1 and self.readers[node.inputs[0]] == 1:
            return True
        return not self.clipped.intersection(node.outputs) and self._marks(makers.get(node.inputs[0]), makers)

    def _carries(self, node: Node) -> bool:
        return id(node) in self.carrying

    def _quantizes(self, node: Node) -> bool:
        name = name_of(node)
        return id(node) not in self.kept and name not in self.left and (
            name == "product" or name in self.style.quantizes
        )  # fmt: skip

    def _absorb_removable(self) -> None:
        """Clipping is part of writing an integer result: such activations vanish behind what is quantized."""
        makers = self.graph.makers()
        self._absorb(lambda node: self._marks(makers.get(node.inputs[0]), makers))

    def _absorb_before_quantize(self) -> None:
        """They vanish before a quantize node as well."""
        self._absorb(lambda node: self._root(node.outputs[0]) in self.marked)

    def _absorb(self, fits: Callable[[Node], bool]) -> None:
        readers, makers = self.graph.readers(), self.graph.makers()
        gone: list[Node] = []
        for node in self.graph.nodes:
            if node.function not in self.style.removable or node.kind is not OpKind.ACTIVATION:
                continue
            source = node.inputs[0]
            before = makers.get(source)
            if before is None or readers[source] != 1 or not fits(node):
                continue
            before.outputs = tuple(node.outputs[0] if t == source else t for t in before.outputs)
            makers[node.outputs[0]] = before
            if self._carries(before):
                if self._root(node.outputs[0]) in self.marked:
                    self.marked.add(self._root(source))
                self.root[node.outputs[0]] = self._root(source)
            before.fused.append(node.function)
            gone.append(node)
        self.graph.drop(gone)

    def _marks(self, node: Node | None, makers: dict[int, Node]) -> bool:
        """Whether what a node hands on was quantized; clipping and copies hand on what they read."""
        while node is not None and (
            node.function in self.style.removable
            or (node.kind in _CARRIERS and node.function not in self.style.float_moves)
        ):
            node = makers.get(node.inputs[0])
        return node is not None and len(node.outputs) == 1 and self._quantizes(node)

    def _integer(self, node: Node) -> bool:
        name = name_of(node)
        if id(node) in self.kept or not (name == "product" or name in self.style.kernels):
            return False
        return all(self._root(t) in self.marked for t in (*node.inputs, *node.outputs))

    def _placed(self) -> Iterator[Node]:
        graph = self.graph
        for tensor in graph.inputs:
            if tensor in self.marked:  # every reader but the quantize node takes the integer form
                yield from self._entry(tensor)
        for node in graph.nodes:
            if self._carries(node):
                node.precision = "int8" if self._root(node.inputs[0]) in self.marked else "fp32"
                yield node
            elif self._integer(node):
                node.precision = "int8"
                yield node
            else:
                yield from self._in_float(node)
            self._settle(node)
        for place, tensor in enumerate(graph.outputs):
            if self._root(tensor) in self.marked:
                result = graph.add_tensor(graph.shape(tensor))
                graph.outputs[place] = result
                yield change("dequantize", tensor, result)

    def _entry(self, tensor: int) -> Iterator[Node]:
        graph = self.graph
        integer = graph.add_tensor(graph.shape(tensor), "int8")
        self.marked.add(integer)
        for node in graph.nodes:
            if tensor in node.inputs:
                node.inputs = [integer if t == tensor else t for t in node.inputs]
                if self._carries(node):
                    self.root.update(dict.fromkeys(node.outputs, integer))
        self.root.update({t: integer for t, root in self.root.items() if root == tensor})
        yield change("quantize", tensor, integer)

    def _in_float(self, node: Node) -> Iterator[Node]:
        graph = self.graph
        node.precision = "fp32"
        forms: dict[int, int] = {}
        for tensor in dict.fromkeys(node.inputs):
            if self._root(tensor) in self.marked:
                forms[tensor] = graph.add_tensor(graph.shape(tensor))
                yield change("dequantize", tensor, forms[tensor])
        node.inputs = [forms.get(t, t) for t in node.inputs]
        integers = [t for t in node.outputs if t in self.marked]
        floats = {t: graph.add_tensor(graph.shape(t)) for t in integers}
        node.outputs = tuple(floats.get(t, t) for t in node.outputs)
        yield node
        for tensor in integers:
            yield change("quantize", floats[tensor], tensor)
            graph.set_dtype(tensor, "int8")

    def _settle(self, node: Node) -> None:
        """Write the form of what an operation made into its tensors."""
        for tensor in node.outputs:
            dtype = self.graph.tensors[tensor].dtype
            if dtype in ("int8", "uint8", "float32", "float16", "bfloat16"):
                form = "int8" if self._root(tensor) in self.marked else "float32"
                if dtype != form:
                    self.graph.set_dtype(tensor, form)


def _through_views(tensor: int, makers: dict[int, Node]) -> int:
    """Return what a chain of views with one result each starts from."""
    while (maker := makers.get(tensor)) is not None and maker.kind in _CARRIERS and len(maker.outputs) == 1:
        tensor = maker.inputs[0]
    return tensor


def change(function: str, source: int, result: int) -> Node:
    """Return a quantize or dequantize node."""
    return Node(OpKind.QUANTIZE, function, [source], (result,), {"function": function}, name=function)
