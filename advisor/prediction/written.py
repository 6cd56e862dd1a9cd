"""What an ONNX file of a network holds: weights and constants in bytes, nodes, tensors, and what quantization adds.

Exporters drop weights that no operation reads, fold what depends on weights alone (large operands excepted), and write
attention and SiLU as several nodes. Counting is done on the network as planned, so that any step is seen.
"""

from dataclasses import dataclass

from advisor.schema import WEIGHTED_KINDS, Op, OpKind, Tensor, Weight, Workload
from advisor.schema.identity import remembered

from .storage import scales, weight_bytes

FOLD_LIMIT = 8192  # elements; exporters leave operations on larger constants in the graph (onnxscript's limit)
_NO_NODES = frozenset({"identity", "copy"})
_CLIPS = frozenset({"relu", "relu6", "clip"})  # part of the range of a quantized tensor
_EXTRA_NODES = {"silu": 1, "hardswish": 1, "group_norm": 4, "addcmul": 1}
_ATTENTION_NODES = 9  # products, softmax, scaling, and a transpose between reshapes
_ATTENTION_TENSORS = 7  # of which a quantizer marks these
_BYTE_KINDS = frozenset({OpKind.ELEMENTWISE, OpKind.CONCAT})  # their constants are quantized like activations


@dataclass(frozen=True)
class Written:
    """Counts of a file: `weights` in bytes with their scales; the rest in numbers of things that cost bytes."""

    weights: int
    nodes: int
    constants: int
    pairs: int  # tensors between a quantize and a dequantize node
    quantized: int  # weights that are integers
    channels: int  # scales of those weights
    bias_channels: int  # values of int32 biases, each with a scale and a zero point

    def counts(self) -> dict[str, int]:
        """Return the counts by name."""
        return {
            "nodes": self.nodes, "constants": self.constants, "pairs": self.pairs, "quantized": self.quantized,
            "channels": self.channels, "bias_channels": self.bias_channels,
        }  # fmt: skip


@remembered(48)
def written(workload: Workload) -> Written:
    """Count what a file of this network holds; `workload` has its batch norms folded where the file has."""
    return _Count(workload).result()


class _Count:
    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        self.tensor = workload.tensor
        self.live = set(workload.inputs)
        self.makers: dict[int, Op] = {}
        self.weights: dict[str, Op] = {}  # weight -> first operation that reads it
        self.folded: dict[int, Tensor] = {}  # constants that exporters compute
        self.products: set[int] = set()  # results of layers without a bias, and views of them
        self.biases: set[str] = set()  # weights that are added to those
        self.nodes = 0
        self.pairs = 0
        self.integer = any(t.dtype == "int8" for t in workload.tensors)
        self.prepared = any(op.precision == "int8" for op in workload.ops)  # onnxruntime folds constants of any size

    def result(self) -> Written:
        for op in self.workload.ops:
            if any(t in self.live for t in op.inputs):
                self._read(op)
            else:
                self.makers.update(dict.fromkeys(op.outputs, op))
        read = [(self.workload.weight[name], op) for name, op in self.weights.items() if name in self.workload.weight]
        if any(op.attrs.get("summary") for op in self.workload.ops):  # weights known in sum, some without a layer
            seen = {w.name for w, _ in read}
            read += [(w, self.workload.ops[-1]) for w in self.workload.weights if w.name not in seen]
        layers = [(w, op) for w, op in read if op.kind in WEIGHTED_KINDS]
        quantized = [w for w, _ in layers if w.storage.dtype in ("int8", "uint8", "int4")]
        biases = [w for w, _ in read if w.storage.dtype == "int32" or w.name in self.biases]
        return Written(
            weights=sum(self._bytes(w, op) for w, op in read) + sum(self._constant(t) for t in self.folded.values()),
            nodes=self.nodes, constants=len(read) + len(self.folded), pairs=self.pairs, quantized=len(quantized),
            channels=sum(scales(w) for w in quantized), bias_channels=sum(w.elements for w in biases),
        )  # fmt: skip

    def _read(self, op: Op) -> None:
        self.live.update(op.outputs)
        constants = [t for t in op.inputs if t not in self.live]
        inherited: set[str] = set()
        for tensor in constants:
            inherited |= self._computed(tensor, op)
        if op.kind not in (OpKind.VIEW, OpKind.MOVE):  # they name the weights whose values they hand on
            for name in op.weights:
                if name not in inherited:
                    self.weights.setdefault(name, op)
        function = str(op.attrs.get("function", ""))
        self._follow_products(op, function)
        attention = op.kind is OpKind.ATTENTION
        if self.integer and op.kind is OpKind.ACTIVATION and function in _CLIPS:
            return  # the quantizer leaves it out
        if function not in _NO_NODES and op.kind is not OpKind.QUANTIZE:
            self.nodes += 1 + _EXTRA_NODES.get(function, 0) + attention * _ATTENTION_NODES
        if self.integer:
            self.pairs += sum(self.tensor[t].dtype == "int8" for t in op.outputs)
            self.pairs += attention * _ATTENTION_TENSORS + (function in ("silu", "hardswish"))

    def _follow_products(self, op: Op, function: str) -> None:
        """Exporters join a product with a matrix and the bias that is added to it, perhaps behind views."""
        bare = op.kind is OpKind.LINEAR and op.precision == "int8" and len(op.weights) == 1
        if bare or (op.kind is OpKind.VIEW and not self.products.isdisjoint(op.inputs)):
            self.products.update(op.outputs)
        elif function == "add" and len(op.inputs) == len(op.weights) == 1 and op.inputs[0] in self.products:
            weight = self.workload.weight.get(op.weights[0])
            if self.integer and weight is not None and len(weight.shape) == 1:
                self.biases.add(weight.name)

    def _computed(self, tensor: int, op: Op) -> set[str]:
        """Count a constant as its value, or as its sources where those are too large; return the sources."""
        sources: set[str] = set()
        queue = [tensor]
        while queue:
            maker = self.makers.get(queue.pop())
            if maker is not None:
                sources.update(maker.weights)
                queue.extend(maker.inputs)
        sizes = [self.workload.weight[name] for name in sources if name in self.workload.weight]
        large = any(w.elements > FOLD_LIMIT for w in sizes)
        if large and not self.prepared:
            for name in sources:
                self.weights.setdefault(name, op)
        else:
            self.folded.setdefault(tensor, self.tensor[tensor])
        return sources

    def _bytes(self, weight: Weight, op: Op) -> int:
        if weight.name in self.biases:
            return 4 * weight.elements  # int32
        if self.integer and op.kind in _BYTE_KINDS and weight.storage.dtype in ("float32", "float16"):
            return weight.elements
        return weight_bytes(weight)

    def _constant(self, tensor: Tensor) -> int:
        return tensor.elements if self.integer else tensor.bytes
