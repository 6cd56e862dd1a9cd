"""Float convolutions on channels in blocks, and the reorders at the borders of such regions."""

from dataclasses import dataclass

from advisor.schema import CONV_KINDS, OpKind

from .absorb import SUMS, take
from .graph import Graph, Node
from .style import Blocks, FusionStyle


@dataclass(slots=True)
class _Blocked:
    """A tensor in blocks: who made it, how many readers there are in all, and how many want it plain."""

    maker: Node
    channels: int
    readers: int
    plain: int
    tensor: int  # id of the blocked form


def block(graph: Graph, style: FusionStyle) -> None:
    """Move what can be moved to the blocked layout; sums of blocked operands join their convolution."""
    if style.blocks is not None:
        _Blocks(graph, style, style.blocks).run()


class _Blocks:
    def __init__(self, graph: Graph, style: FusionStyle, blocks: Blocks) -> None:
        self.graph = graph
        self.style = style
        self.blocks = blocks
        self.readers = graph.readers()
        self.makers = graph.makers()
        self.known: dict[int, _Blocked] = {}  # by id of the plain form
        self.entered: dict[int, int] = {}  # plain tensors that were reordered: their blocked form
        self.out: list[Node] = []

    def run(self) -> None:
        for node in self.graph.nodes:
            if not self._convolution(node) and not self._other(node):
                self.out.append(node)
        self._leave()

    def _convolution(self, node: Node) -> bool:
        graph, size = self.graph, self.blocks.size
        if node.kind not in CONV_KINDS or node.kind is OpKind.CONV_TRANSPOSED or node.precision == "int8":
            return False
        if len(graph.shape(node.outputs[0])) != 4:
            return False
        wide, out = _number(node.attrs.get("in_channels")), _number(node.attrs.get("out_channels"))
        groups = _number(node.attrs.get("groups")) or 1
        direct = False
        if groups > 1 and not (groups == wide == out):
            if wide // groups % size or out // groups % size:
                return False
        elif groups == 1 and wide < size:
            direct = True  # reads the plain layout
        elif wide % self.blocks.multiple:
            return False
        if not direct:
            self._enter(node, 0)
        self._made(node, out)
        return True

    def _enter(self, node: Node, place: int) -> None:
        """Read an operand in blocks, behind a reorder where nobody made it so."""
        tensor = node.inputs[place]
        if tensor in self.known:
            known = self.known[tensor]
            node.inputs[place] = known.tensor
            known.plain -= 1
            return
        if tensor not in self.entered:
            self.entered[tensor] = self._whole_blocks(tensor)
            self.out.append(_reorder(self._source(tensor), self.entered[tensor]))
        node.inputs[place] = self.entered[tensor]

    def _whole_blocks(self, plain: int) -> int:
        """Add the blocked form of a tensor: its channels are filled up to whole blocks."""
        batch, channels, *rest = self.graph.shape(plain)
        filled = -(-channels // self.blocks.size) * self.blocks.size
        return self.graph.add_tensor((batch, filled, *rest), self.graph.tensors[plain].dtype)

    def _source(self, tensor: int) -> int:
        """Entering the blocks can take channels from last place on the way."""
        before = self.makers.get(tensor)
        if before is None or before.function != "permute" or before.attrs.get("dims") != (0, 3, 1, 2):
            return tensor
        if self.readers[tensor] == 1:
            self.out.remove(before)
        return before.inputs[0]

    def _made(self, node: Node, channels: int) -> None:
        plain = node.outputs[0]
        form = self._whole_blocks(plain)
        node.outputs = (form,)
        node.layout = "blocked"
        count = self.readers.get(plain, 0)
        self.known[plain] = _Blocked(node, channels, count, count, form)
        self.out.append(node)

    def _other(self, node: Node) -> bool:
        if any(self.graph.tensors[t].dtype in ("int8", "uint8") for t in node.inputs):
            return False
        if node.kind is OpKind.POOL:
            return self._pool(node)
        known = [self.known[t] for t in node.inputs if t in self.known]
        if not known or len(known) != len(node.inputs) or len(node.outputs) != 1:
            return False
        if node.kind is OpKind.ACTIVATION:
            return node.function in self.blocks.activations and self._activation(node, known[0])
        if node.kind is OpKind.ELEMENTWISE:
            return node.function in (*SUMS, "mul") and len(known) == 2 and self._binary(node, known)
        if node.kind is OpKind.CONCAT:
            return node.attrs.get("dim") == 1 and node.function == "concat" and self._concat(node, known)
        if node.kind in (OpKind.NORM_BATCH, OpKind.RESIZE):
            return self._norm(node, known[0]) if node.kind is OpKind.NORM_BATCH else self._enlarge(node, known[0])
        return node.attrs.get("dims") == (0, 2, 3, 1) and self._transpose(node, known[0])

    def _pool(self, node: Node) -> bool:
        shape = self.graph.shape(node.inputs[0])
        if len(shape) != 4 or shape[1] % self.blocks.size or node.function not in ("max_pool", "avg_pool"):
            return False
        self._enter(node, 0)
        node.outputs = node.outputs[:1]
        self._made(node, shape[1])
        return True

    def _activation(self, node: Node, source: _Blocked) -> bool:
        maker = source.maker
        source.plain -= 1
        node.inputs = [source.tensor]
        fusable = node.function in self.style.activations and maker.kind in CONV_KINDS
        if fusable and source.readers == 1 and not maker.activated:
            self._replace(node, source)
        else:
            self._made(node, source.channels)
        return True

    def _replace(self, node: Node, source: _Blocked) -> None:
        """Let the convolution behind `source` do the work of `node`, and move it to where all operands are made."""
        maker, plain = source.maker, node.outputs[0]
        node.inputs = [source.tensor, *(t for t in node.inputs if t != source.tensor)]
        node.outputs = (source.tensor,)
        take(maker, node)
        count = self.readers.get(plain, 0)
        self.known[plain] = _Blocked(maker, source.channels, count, count, source.tensor)
        self.out.remove(maker)
        self.out.append(maker)

    def _binary(self, node: Node, known: list[_Blocked]) -> bool:
        equal = len({self.graph.shape(t) for t in node.inputs}) == 1
        if known[0].channels != known[1].channels or not (equal or node.function in SUMS):
            return False
        for entry in known:
            entry.plain -= 1
        node.inputs = [entry.tensor for entry in known]
        if equal and node.function in SUMS:  # sums of unequal shapes repeat one operand, block by block
            for entry in known:
                maker = entry.maker
                summed = any(name in SUMS for name in maker.fused)
                if maker.kind in CONV_KINDS and entry.readers == 1 and not maker.activated and not summed:
                    node.inputs.remove(entry.tensor)
                    self._replace(node, entry)
                    return True
        self._made(node, known[0].channels)
        return True

    def _concat(self, node: Node, known: list[_Blocked]) -> bool:
        if any(entry.channels % self.blocks.size for entry in known):
            return False
        for entry in known:
            entry.plain -= 1
        node.inputs = [entry.tensor for entry in known]
        self._made(node, sum(entry.channels for entry in known))
        return True

    def _norm(self, node: Node, source: _Blocked) -> bool:
        """A norm that no layer took in becomes a depthwise 1x1 convolution."""
        source.plain -= 1
        node.inputs = [source.tensor]
        node.kind = OpKind.CONV_DEPTHWISE
        channels = source.channels
        node.attrs = {
            "kernel": (1, 1), "stride": (1, 1), "padding": (0, 0), "dilation": (1, 1), "groups": channels,
            "in_channels": channels, "out_channels": channels,
        }  # fmt: skip
        self._made(node, channels)
        return True

    def _enlarge(self, node: Node, source: _Blocked) -> bool:
        """Repeating pixels a whole number of times works on blocks."""
        before, after = self.graph.shape(node.inputs[0])[2:], self.graph.shape(node.outputs[0])[2:]
        if node.function != "nearest" or any(new % old for old, new in zip(before, after, strict=True)):
            return False
        source.plain -= 1
        node.inputs = [source.tensor]
        self._made(node, source.channels)
        return True

    def _transpose(self, node: Node, source: _Blocked) -> bool:
        """Leaving the blocks can put channels last on the way."""
        if node.function != "permute":
            return False
        source.plain -= 1
        node.inputs = [source.tensor]
        node.kind, node.function = OpKind.MOVE, "reorder"
        node.attrs = {"function": "reorder"}
        self.out.append(node)
        return True

    def _leave(self) -> None:
        """Reorder back what someone reads in plain form, right behind its maker."""
        exits: dict[int, list[Node]] = {}
        for plain, entry in self.known.items():
            if entry.plain > 0:
                exits.setdefault(id(entry.maker), []).append(_reorder(entry.tensor, plain))
        nodes: list[Node] = []
        for node in self.out:
            nodes.append(node)
            nodes += exits.get(id(node), ())
        self.graph.nodes = nodes


def _reorder(source: int, result: int) -> Node:
    return Node(OpKind.MOVE, "reorder", [source], (result,), {"function": "reorder"}, name="reorder")


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
