"""An ONNX graph with the questions that quantization asks: who makes a tensor, who reads it, what layers there are."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.schema import OpKind

Array = NDArray[Any]
LAYERS = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
_COPY = "@"  # between a constant's name and the number of its copy; exporters do not use it


@dataclass(frozen=True)
class Layer:
    """A convolution, linear layer or product with a constant: its node and the constants that it alone reads."""

    node: Any
    name: str  # path of the module where the graph still tells, else the name of the node
    weight: str
    bias: str | None

    @property
    def out_axis(self) -> int:
        """Axis of the weight that runs over output channels (within a group for transposed convolutions)."""
        if self.node.op_type == "Gemm":
            return 0 if attribute(self.node, "transB", 0) else 1
        return 0 if self.node.op_type == "Conv" else 1

    @property
    def groups(self) -> int:
        """Groups of a convolution, 1 for linear layers."""
        return int(attribute(self.node, "group", 1))


class Graph:
    """A model in memory; `set` and `add` change it in place."""

    def __init__(self, model: Any) -> None:
        """Index nodes and constants."""
        self.model = model
        self.constants: dict[str, Any] = {tensor.name: tensor for tensor in model.graph.initializer}
        self.maker: dict[str, Any] = {name: node for node in model.graph.node for name in node.output}
        self.readers: dict[str, list[Any]] = {}
        for node in model.graph.node:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)
        self.outputs = {value.name for value in model.graph.output}

    @classmethod
    def read(cls, path: Path) -> "Graph":
        """Open a file."""
        import onnx

        return cls(onnx.load(path))

    @property
    def input(self) -> str:
        """Name of the image input."""
        return str(next(value.name for value in self.model.graph.input if value.name not in self.constants))

    def copy(self) -> "Graph":
        """Return another graph of the same content."""
        import onnx

        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        return Graph(model)

    def save(self, path: Path) -> None:
        """Write the file."""
        import onnx

        onnx.save(self.model, path)

    def array(self, name: str) -> Array:
        """Return a constant's values."""
        from onnx import numpy_helper

        values: Array = numpy_helper.to_array(self.constants[name])
        return values

    def set(self, name: str, values: Array) -> None:
        """Replace a constant's values."""
        from onnx import numpy_helper

        self.constants[name].CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values), name))

    def add(self, name: str, values: Array) -> str:
        """Add a constant."""
        from onnx import numpy_helper

        tensor = self.model.graph.initializer.add()
        tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values), name))
        self.constants[name] = tensor
        return name

    def single_reader(self, name: str) -> Any:
        """Return the only node that reads a tensor, None where there are several or it leaves the graph."""
        readers = self.readers.get(name, [])
        return readers[0] if len(readers) == 1 and name not in self.outputs else None

    def layers(self) -> tuple[Layer, ...]:
        """Return every layer whose weight is a float constant, in the order of the graph."""
        return tuple(self._layers())

    def _layers(self) -> Iterator[Layer]:
        taken: Counter[str] = Counter()
        for node in self.model.graph.node:
            if node.op_type not in LAYERS or len(node.input) < 2:
                continue
            weight = self.constants.get(node.input[1])
            if weight is None or weight.data_type != 1:
                continue
            bias = node.input[2] if len(node.input) > 2 and node.input[2] in self.constants else None
            name = self._path(node, bias)
            name = node.name if taken[name] else name
            taken[name] += 1
            yield Layer(node, name, node.input[1], bias)

    def _path(self, node: Any, bias: str | None) -> str:
        for constant, ending in ((node.input[1], ".weight"), (bias or "", ".bias")):
            if constant.endswith(ending) and len(self.readers[constant]) == 1:
                return constant.removesuffix(ending)
        return str(node.name)


def attribute(node: Any, name: str, default: Any) -> Any:
    """Return a node's attribute."""
    import onnx

    found = next((a for a in node.attribute if a.name == name), None)
    return default if found is None else onnx.helper.get_attribute_value(found)


def separate(graph: Graph) -> int:
    """Give every layer a bias of its own, and name all copies beyond doubt; return how many were made.

    onnxruntime's quantizer copies a shared bias under its name with a number appended, which may be the name of another
    tensor: bias `val_2` becomes `val_21`. The graph is then wrong, or refused with "shared mode is not supported for
    weight", depending on the names that the exporter gave.
    """
    made = 0
    for node in graph.model.graph.node:
        if node.op_type not in LAYERS or len(node.input) < 3 or node.input[2] not in graph.constants:
            continue
        shared = node.input[2]
        if len(graph.readers[shared]) == 1:
            continue
        made += 1
        graph.readers[shared].remove(node)
        node.input[2] = graph.add(f"{shared}{_COPY}{made}", graph.array(shared))
        graph.readers[node.input[2]] = [node]
    return made


def give_biases(graph: Graph) -> None:
    """Give every convolution and Gemm a bias, zero where it had none, so that corrections have a place."""
    for layer in graph.layers():
        node = layer.node
        if node.op_type in ("Conv", "Gemm") and (len(node.input) < 3 or not node.input[2]):
            count = graph.array(layer.weight).shape[layer.out_axis]
            name = graph.add(f"{layer.weight}{_COPY}bias", np.zeros(count, np.float32))
            del node.input[2:]
            node.input.append(name)
            graph.readers[name] = [node]


def with_outputs(graph: Graph, names: Iterable[str]) -> bytes:
    """Return the model with some inner tensors as outputs, for a session."""
    import onnx

    model = graph.copy().model
    known = {value.name for value in model.graph.output}
    for name in names:
        if name not in known and name != graph.input:
            model.graph.output.append(onnx.ValueInfoProto(name=name))
    content: bytes = model.SerializeToString()
    return content


def kind_of(node: Any, shape: tuple[int, ...]) -> OpKind:
    """Return the kind of a layer with a weight of this shape."""
    if node.op_type in ("Gemm", "MatMul"):
        return OpKind.LINEAR
    if node.op_type == "ConvTranspose":
        return OpKind.CONV_TRANSPOSED
    if attribute(node, "group", 1) > 1:
        return OpKind.CONV_DEPTHWISE if len(shape) > 1 and shape[1] == 1 else OpKind.CONV_GROUPED
    return OpKind.CONV_1X1 if shape[2:] and set(shape[2:]) == {1} else OpKind.CONV
