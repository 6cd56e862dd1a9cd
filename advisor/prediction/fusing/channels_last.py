"""Integer convolutions with channels last, and the transposes at the borders of such regions.

Transposes move through pointwise operations and vanish where they meet their inverse, so only what depends on the order
of axes (reshapes, norms over planes) brings them back.
"""

from advisor.schema import CONV_KINDS, OpKind
from advisor.schema.workload import Attr

from .graph import Graph, Node
from .integer import change
from .tidy import drop_unread

_LAST, _FIRST = (0, 2, 3, 1), (0, 3, 1, 2)
_POINTWISE = frozenset({OpKind.ACTIVATION, OpKind.ELEMENTWISE, OpKind.QUANTIZE, OpKind.CONCAT, OpKind.SOFTMAX})
_CUTS = frozenset({"split", "slice"})


def put_channels_last(graph: Graph) -> None:
    """Run integer convolutions with channels last."""
    _ChannelsLast(graph).run()


class _ChannelsLast:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.makers = graph.makers()
        self.readers = graph.readers()
        self.last: dict[int, int] = {}  # tensor -> the same values with channels last
        self.gone: set[int] = set()  # tensors that no longer exist with channels first
        self.first: dict[int, int] = {}  # those of them that were transposed back
        self.out: list[Node] = []

    def run(self) -> None:
        for node in self.graph.nodes:
            if node.kind in CONV_KINDS and node.precision == "int8" and self._images(node):
                self._read(node, [self._enter(t) for t in node.inputs])
            elif self._passes(node):
                self._read(node, [self.last.get(t, t) for t in node.inputs])
            elif node.function == "permute" and node.attrs.get("dims") == _LAST and node.inputs[0] in self.last:
                source = self.last[node.inputs[0]]
                node.kind, node.inputs = OpKind.VIEW, [self._rescaled(source, node.outputs[0])]
                self.out.append(node)
            elif node.kind is OpKind.REDUCE and self._over_planes(node):
                node.inputs = [self.last.get(t, t) for t in node.inputs]
                self.out.append(node)
            else:
                node.inputs = [self._plain(t) for t in node.inputs]
                self.out.append(node)
        self.graph.outputs = [self._plain(t) for t in self.graph.outputs]
        self.graph.nodes = self.out
        drop_unread(self.graph)  # transposes that met their inverse

    def _images(self, node: Node) -> bool:
        return all(len(self.graph.shape(t)) == 4 for t in (*node.inputs, *node.outputs))

    def _passes(self, node: Node) -> bool:
        """Whether a node works on any order of axes and all it reads is there with channels last."""
        pool = node.kind is OpKind.POOL and node.precision == "int8"
        cut = node.kind is OpKind.MOVE and node.function in _CUTS
        if not (node.kind in _POINTWISE or pool or cut) or not self._images(node) or not node.inputs:
            return False
        if node.kind is OpKind.SOFTMAX and node.attrs.get("dim") != 1:
            return False
        return any(t in self.last for t in node.inputs) and all(t in self.last or self._small(t) for t in node.inputs)

    def _over_planes(self, node: Node) -> bool:
        dims = node.attrs.get("dims", node.attrs.get("dim"))
        return node.inputs[0] in self.last and isinstance(dims, tuple) and set(dims) == {2, 3}

    def _small(self, tensor: int) -> bool:
        """One value per channel has the same order in both layouts."""
        return self.graph.shape(tensor)[2:] == (1, 1)

    def _read(self, node: Node, inputs: list[int]) -> None:
        node.inputs = inputs
        node.layout = "channels_last"
        results = []
        for tensor in node.outputs:
            shape = self.graph.shape(tensor)
            moved = self.graph.add_tensor(tuple(shape[d] for d in _LAST), self.graph.tensors[tensor].dtype)
            self.last[tensor] = moved
            self.gone.add(tensor)
            results.append(moved)
        node.outputs = tuple(results)
        self.out.append(node)

    def _enter(self, tensor: int) -> int:
        if tensor in self.last:
            return self.last[tensor]
        if self._small(tensor):
            return tensor
        before = self.makers.get(tensor)
        if before is not None and before.function == "permute" and before.attrs.get("dims") == _FIRST:
            self.last[tensor] = self._rescaled(before.inputs[0], tensor)
            return self.last[tensor]
        self.last[tensor] = self._transpose(tensor, _LAST)
        return self.last[tensor]

    def _rescaled(self, source: int, transposed: int) -> int:
        """A transpose that vanishes leaves a change of scale behind where several operations read its result."""
        integer = self.graph.tensors[source].dtype in ("int8", "uint8")
        if not integer or self.readers[transposed] < 2:
            return source
        shape = self.graph.shape(source)
        between, result = self.graph.add_tensor(shape), self.graph.add_tensor(shape, "int8")
        self.out.append(change("dequantize", source, between))
        self.out.append(change("quantize", between, result))
        return result

    def _plain(self, tensor: int) -> int:
        """Return a tensor with channels first again; one transpose serves all who need it."""
        if tensor not in self.gone or tensor in self.first:
            return self.first.get(tensor, tensor)
        if self._small(tensor):
            self.first[tensor] = self.last[tensor]
            return self.last[tensor]
        moved = self._transpose(self.last[tensor], _FIRST)
        self.first[tensor] = moved
        return moved

    def _transpose(self, tensor: int, order: tuple[int, ...]) -> int:
        shape = self.graph.shape(tensor)
        moved = self.graph.add_tensor(tuple(shape[d] for d in order), self.graph.tensors[tensor].dtype)
        attrs: dict[str, Attr] = {"function": "permute", "dims": order}
        precision = "int8" if self.graph.tensors[tensor].dtype in ("int8", "uint8") else "fp32"
        self.out.append(Node(OpKind.MOVE, "permute", [tensor], (moved,), attrs, precision=precision, name="transpose"))
        return moved
