"""The module: a list of nodes that is run in order. Under torch.export it becomes one flat graph."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import nn

from .dequantized import ZEROS
from .graph import Weights, read_graph
from .layers import LAYERS, Operator
from .quantize import QUANTIZED
from .shapes import SHAPES
from .values import tensor

OPERATORS = {**LAYERS, **SHAPES, **QUANTIZED}
_DEFAULT_DOMAINS = ("", "ai.onnx")


class OnnxModule(nn.Module):
    """Computes an ONNX graph of one input; large constants are buffers, the others steer shapes and scales."""

    def __init__(
        self, model: onnx.ModelProto, *, weights: Weights = "integers", instead: Mapping[str, Operator] | None = None
    ) -> None:
        """Take a file whose operations are all known (`from_onnx` checks)."""
        super().__init__()
        self._operators = {**OPERATORS, **(instead or {})}
        self._nodes, constants = read_graph(model, weights)
        self._input = next(one.name for one in model.graph.input if one.name not in constants)
        self._outputs = tuple(one.name for one in model.graph.output)
        self._steering: dict[str, NDArray[Any]] = {}
        self._buffer_names: dict[str, str] = {}
        steering = {name for node in self._nodes if node.kind == "Resize" for name in node.inputs[1:]}
        read = {name for node in self._nodes for name in node.inputs} | set(self._outputs)
        for name, value in constants.items():
            if name in read:
                self._keep(name, value, steers=name in steering)

    def _keep(self, name: str, value: NDArray[Any], *, steers: bool) -> None:
        """Keep a constant: single numbers, whole numbers and booleans as they are, all others as buffers.

        Compilers want the zero points of weights as buffers too.
        """
        steers |= value.dtype in (np.int64, np.int32, np.bool_) and not name.endswith(ZEROS)
        if value.size <= 1 or steers:
            self._steering[name] = value
            return
        self._buffer_names[name] = f"constant_{len(self._buffer_names)}"
        self.register_buffer(self._buffer_names[name], torch.from_numpy(np.array(value)))

    @property
    def quantizes(self) -> bool:
        """Whether activations are quantized on the way."""
        return any(node.kind == "QuantizeLinear" for node in self._nodes)

    def forward(self, images: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        """Run the graph on one batch."""
        values: dict[str, Any] = {self._input: images, "": None, **self._steering}
        values |= {name: self.get_buffer(buffer) for name, buffer in self._buffer_names.items()}
        for node in self._nodes:
            found = self._operators[node.kind]([values[name] for name in node.inputs], node.attributes)
            results = found if isinstance(found, (tuple, list)) else (found,)
            values.update(zip(node.outputs, results, strict=False))
        outputs = tuple(tensor(values[name]) for name in self._outputs)
        return outputs[0] if len(outputs) == 1 else outputs


def from_onnx(
    path: Path, *, weights: Weights = "integers", instead: Mapping[str, Operator] | None = None
) -> tuple[OnnxModule, tuple[int, ...]]:
    """Return a file as a module and the shape of its input; dimensions that were left open count as 1.

    `weights` says how integer weights are written (see `read_graph`). Operations in `instead` are computed so, where
    a compiler lacks the usual way.

    Raises ValueError with the names of operations that are not known, where the file has several inputs, or is none.
    """
    model = _read(path)
    constants = {one.name for one in model.graph.initializer}
    inputs = [one for one in model.graph.input if one.name not in constants]
    if len(inputs) != 1:
        raise ValueError(f"the file has {len(inputs)} inputs")
    foreign = {f"{node.domain}.{node.op_type}" for node in model.graph.node if node.domain not in _DEFAULT_DOMAINS}
    unknown = foreign | {node.op_type for node in model.graph.node if node.op_type not in (*OPERATORS, "Constant")}
    if unknown:
        raise ValueError(f"operations that are not translated to torch: {', '.join(sorted(unknown))}")
    shape = tuple(one.dim_value or 1 for one in inputs[0].type.tensor_type.shape.dim)
    return OnnxModule(model, weights=weights, instead=instead).eval(), shape


def _read(path: Path) -> onnx.ModelProto:
    try:
        return onnx.load(path)
    except Exception as error:  # protobuf raises classes of its own
        raise ValueError("this is no ONNX file") from error
