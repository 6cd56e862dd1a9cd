"""Walking an ONNX graph in its order into a workload. Nothing of the graph is executed unless shapes demand it.

What is computed from constants alone (a dequantized kernel, a shape) is no operation; kernels remember through such
steps which initialiser they come from.
"""

from dataclasses import replace
from math import prod
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from advisor.loading.onnx_files import open_onnx
from advisor.schema import ModelInput, OpKind, Workload

from .aten_attrs import linear_attrs
from .building import Draft, Work
from .costs import attention_macs, conv_kind, conv_macs, matmul_macs
from .onnx_attrs import attributes, conv_attrs, listed_settings, raw
from .onnx_ops import ATTENTIONS, CONVOLUTIONS, INTEGER, PRODUCTS, SETTINGS_FROM, STATISTICS, Operands, look_up
from .onnx_shapes import FixedGraph, fix_shapes
from .onnx_values import Values

# Constant steps behind which the stored weight is still the same one.
_RESHAPING = frozenset(
    {
        "DequantizeLinear", "QuantizeLinear", "Transpose", "Reshape", "Cast", "Identity", "Squeeze", "Unsqueeze",
        "Flatten", "Expand",
    }
)  # fmt: skip


def profile_onnx(
    path: Path | str, *, inputs: tuple[ModelInput, ...] | None = None, name: str = "", source: str = ""
) -> Workload:
    """Profile an ONNX file at these input shapes."""
    path = Path(path)
    fixed = fix_shapes(open_onnx(path), path, inputs)
    return _Walk(fixed).run(name or path.stem, source or str(path))


class _Walk:
    """The state of one walk over a graph."""

    def __init__(self, fixed: FixedGraph) -> None:
        self._graph = fixed.graph
        self._values = Values(dict(fixed.types))
        self._draft = Draft()
        if fixed.measured:
            self._draft.notes.append("some shapes were read off a run on zeros: inference does not know them")

    def run(self, name: str, source: str) -> Workload:
        """Visit every node and freeze the result."""
        values = self._values
        for tensor in self._graph.initializer:
            values.store(tensor.name, tensor)
        inputs = tuple(self._make(v.name) for v in self._graph.input if v.name not in values.stored)
        for node in self._graph.node:
            self._visit(node)
        outputs = tuple(values.ids[v.name] for v in self._graph.output if values.is_activation(v.name))
        return self._draft.finish(
            name=name, source=source, format="onnx", inputs=inputs, outputs=outputs, weights=values.blanks()
        )

    def _visit(self, node: onnx.NodeProto) -> None:
        values = self._values
        if any(a.HasField("g") for a in node.attribute):  # If, Loop, Scan: what is inside is not followed
            self._add(node, Work(OpKind.UNKNOWN, attrs={"function": node.op_type}))
        elif node.op_type == "Constant":
            self._constant(node)
        elif node.op_type in ("Shape", "Size") or not values.read(node):
            self._fold(node)
        elif node.op_type in CONVOLUTIONS:
            self._convolution(node, CONVOLUTIONS[node.op_type])
        elif node.op_type in PRODUCTS:
            self._product(node, PRODUCTS[node.op_type])
        elif node.op_type in ATTENTIONS and len(node.input) >= 3 and values.is_activation(node.input[2]):
            query, key, value = (values.shape(i) for i in node.input[:3])
            self._add(node, Work(OpKind.ATTENTION, attention_macs(query, key, value), {"tokens": query[-2]}))
        elif node.op_type == "Einsum" and len(node.input) == 2:
            self._einsum(node)
        else:
            self._other(node)

    def _constant(self, node: onnx.NodeProto) -> None:
        (value,) = raw(node).values() or (0,)
        if not isinstance(value, onnx.TensorProto):
            value = numpy_helper.from_array(np.asarray(value))
        self._values.store(node.output[0], value)

    def _fold(self, node: onnx.NodeProto) -> None:
        """Follow a step among constants: no operation, but kernels keep their origin."""
        values = self._values
        inputs = list(node.input)
        if node.op_type in ("Shape", "Size"):
            inputs = []
        elif node.op_type in _RESHAPING:
            inputs = inputs[:1]
        origins = values.behind(inputs)
        if node.op_type == "DequantizeLinear":
            values.note_scale(origins, node.input[1], int(raw(node).get("block_size", 0)))
        for output in node.output:
            values.origins[output] = origins

    def _convolution(self, node: onnx.NodeProto, at: Operands) -> None:
        shape = self._values.shape
        x, weight, y = shape(node.input[at.data]), shape(node.input[at.weight]), shape(node.output[0])
        own, transposed = raw(node), node.op_type == "ConvTranspose"
        kind = conv_kind(weight, int(own.get("group", 1)), x[1], transposed)
        attrs = conv_attrs(own, x, weight, y, transposed)
        self._weighted(node, at, Work(kind, conv_macs(x, weight, y, transposed), attrs))

    def _product(self, node: onnx.NodeProto, at: Operands) -> None:
        shape, own = self._values.shape, raw(node)
        left, right = shape(node.input[at.data]), shape(node.input[at.weight])
        if own.get("transA"):
            left = (*left[:-2], left[-1], left[-2])
        if own.get("transB"):
            right = (*right[:-2], right[-1], right[-2])
        macs = matmul_macs(left, right, shape(node.output[0]))
        if not self._values.is_activation(node.input[at.weight]):
            self._weighted(node, at, Work(OpKind.LINEAR, macs, linear_attrs(left[-1], right[1:])))
        elif not self._values.is_activation(node.input[at.data]):  # the kernel stands on the left
            swapped = Operands(at.weight, at.data, at.bias, at.scale)
            self._weighted(node, swapped, Work(OpKind.LINEAR, macs, linear_attrs(left[-1], left[:-1])))
        else:
            precision = "int8" if node.op_type in INTEGER else ""
            self._add(node, Work(OpKind.MATMUL, macs, {"function": "matmul"}, precision=precision))

    def _einsum(self, node: onnx.NodeProto) -> None:
        """Two factors: every combination of index values is one product."""
        left, _, result = raw(node)["equation"].decode().replace(" ", "").partition("->")
        terms = left.split(",")
        shapes = [self._values.shape(i) for i in node.input]
        if any(len(term) != len(shape) for term, shape in zip(terms, shapes, strict=True)):
            self._add(node, Work(OpKind.UNKNOWN, attrs={"function": "Einsum"}))
            return
        sides = dict(zip("".join(terms), (*shapes[0], *shapes[1]), strict=True))
        macs = prod(sides.values())
        constant = next((place for place, i in enumerate(node.input) if not self._values.is_activation(i)), None)
        if constant is None:
            self._add(node, Work(OpKind.MATMUL, macs, {"function": "matmul"}))
            return
        fan_in = prod(sides[s] for s in (set(terms[0]) & set(terms[1])) - set(result))
        attrs = linear_attrs(fan_in, (prod(shapes[constant]) // max(fan_in, 1),))
        self._weighted(node, Operands(1 - constant, constant), Work(OpKind.LINEAR, macs, attrs))

    def _weighted(self, node: onnx.NodeProto, at: Operands, work: Work) -> None:
        values = self._values
        kernel = values.behind([node.input[at.weight]])
        bias = values.behind([node.input[at.bias]]) if at.bias is not None and at.bias < len(node.input) else ()
        values.parameters.update((*kernel, *bias))
        if at.scale is not None:
            values.note_scale(kernel, node.input[at.scale])
        simulated = node.input[at.data] in values.dequantized and any(map(values.is_quantized, kernel))
        precision = "int8" if simulated or node.op_type in INTEGER else ""
        self._add(node, replace(work, precision=precision), (*kernel, *bias))

    def _other(self, node: onnx.NodeProto) -> None:
        values = self._values
        kind, function = look_up(node.op_type)
        first = next(i for i in node.input if values.is_activation(i))
        lists = [values.integers(i) for i in node.input]
        attrs = attributes(function, raw(node) | listed_settings(node.op_type, lists), values.shape(first))
        if node.op_type == "Clip":
            kind, attrs["function"] = self._clip(node)
        constants = [i for i in node.input if i and not values.is_activation(i)]
        if kind is OpKind.ELEMENTWISE and len(constants) == 1 and (scalar := values.scalar(constants[0])) is not None:
            attrs["scalar"] = scalar
        integer = node.op_type.startswith("QLinear")
        weights = () if integer else self._operands(node, kind)
        self._add(node, Work(kind, 0, attrs, precision="int8" if integer else ""), weights)
        if node.op_type == "DequantizeLinear" or (kind in (OpKind.VIEW, OpKind.MOVE) and first in values.dequantized):
            values.dequantized.update(node.output)

    def _operands(self, node: onnx.NodeProto, kind: OpKind) -> tuple[str, ...]:
        """Return the stored numbers that a node computes with, counted as parameters unless statistics or masks."""
        values = self._values
        found: list[str] = []
        for place, value in enumerate(node.input[: SETTINGS_FROM.get(node.op_type, len(node.input))]):
            for origin in values.behind([value]):
                if "float" not in values.dtype(origin) or prod(values.shape(origin)) <= 1:
                    continue
                found.append(origin)
                masks = kind is OpKind.ELEMENTWISE and values.is_mask(origin)
                if not masks and place not in STATISTICS.get(node.op_type, ()):
                    values.parameters.add(origin)
        return tuple(found)

    def _clip(self, node: onnx.NodeProto) -> tuple[OpKind, str]:
        """Name a clip by its bounds, which are inputs today and were attributes once."""
        own = raw(node)
        low, high = (
            self._values.scalar(node.input[place]) if len(node.input) > place and node.input[place] else own.get(key)
            for place, key in ((1, "min"), (2, "max"))
        )
        if low == 0 and high in (6, None):
            return OpKind.ACTIVATION, "relu6" if high == 6 else "relu"
        return OpKind.ELEMENTWISE, "clamp"

    def _add(self, node: onnx.NodeProto, work: Work, weights: tuple[str, ...] = ()) -> None:
        inputs = self._values.read(node)
        alias = inputs[0] if work.kind is OpKind.VIEW else None
        outputs = [self._make(o, alias) for o in node.output if o]
        self._draft.add_op(node.op_type, work, inputs, outputs, weights)

    def _make(self, name: str, alias_of: int | None = None) -> int:
        values = self._values
        values.ids[name] = self._draft.add_tensor(values.shape(name), values.dtype(name), alias_of)
        return values.ids[name]
