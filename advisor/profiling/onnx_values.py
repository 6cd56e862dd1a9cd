"""The values of an ONNX graph while it is walked: activations by id, stored numbers by name, and what they turn into.

Parameters are the floating or quantized initialisers that operations compute with: kernels, biases, scales of
normalisations, tokens, tables. Everything else that is stored (statistics, scales, indices) is a buffer.
"""

from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from advisor.loading.onnx_files import dtype_name
from advisor.schema import Storage

from .building import Blank, plain_dtype
from .onnx_shapes import ValueType

_QUANTIZED = ("int4", "uint4", "int8", "uint8", "int16", "uint16")


@dataclass
class Values:
    """What is known about every value name so far."""

    types: dict[str, ValueType]
    ids: dict[str, int] = field(default_factory=dict)  # activations
    origins: dict[str, tuple[str, ...]] = field(default_factory=dict)  # constants -> the stored tensors behind them
    stored: dict[str, Any] = field(default_factory=dict)
    parameters: set[str] = field(default_factory=set)
    scales: dict[str, tuple[str, int]] = field(default_factory=dict)  # stored tensor -> granularity, group size
    dequantized: set[str] = field(default_factory=set)  # activations that come from 8 bits

    def store(self, name: str, tensor: onnx.TensorProto) -> None:
        """Take an initialiser or a constant."""
        self.stored[name] = tensor
        self.origins[name] = (name,)
        self.types.setdefault(name, ValueType(tuple(tensor.dims), dtype_name(tensor.data_type)))

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a value; scalars and values never typed have none."""
        return self.types[name].shape if name in self.types else ()

    def dtype(self, name: str) -> str:
        """Return the dtype of a value."""
        return self.types[name].dtype if name in self.types else "float32"

    def is_activation(self, name: str) -> bool:
        """Tell whether a value depends on the input."""
        return name in self.ids

    def read(self, node: onnx.NodeProto) -> list[int]:
        """Return the ids of the activations that a node reads."""
        return [self.ids[i] for i in node.input if i in self.ids]

    def behind(self, names: list[str]) -> tuple[str, ...]:
        """Return the stored tensors behind constant values, each once."""
        return tuple(dict.fromkeys(o for name in names for o in self.origins.get(name, ())))

    def scalar(self, name: str) -> float | None:
        """Return a stored single number."""
        tensor = self.stored.get(name)
        if tensor is None or tensor.external_data or prod(tensor.dims) != 1:
            return None
        return float(numpy_helper.to_array(tensor).reshape(-1)[0])

    def integers(self, name: str) -> tuple[int, ...]:
        """Return a stored list of whole numbers; empty where it is computed or absent."""
        tensor = self.stored.get(name)
        if tensor is None or tensor.external_data or "int" not in self.dtype(name):
            return ()
        return tuple(int(v) for v in numpy_helper.to_array(tensor).reshape(-1))

    def is_quantized(self, name: str) -> bool:
        """Tell whether a stored tensor holds integers of at most 16 bits."""
        return self.dtype(name) in _QUANTIZED

    def is_mask(self, name: str) -> bool:
        """Tell whether a stored tensor looks like an attention mask: three axes or more, at most two values."""
        tensor = self.stored[name]
        if len(tensor.dims) < 3 or tensor.external_data:
            return False
        return len(np.unique(numpy_helper.to_array(tensor))) <= 2

    def note_scale(self, weights: tuple[str, ...], scale: str, block: int = 0) -> None:
        """Remember how finely weights are scaled, judged by the number of scales."""
        granularity = "group" if block else "per_channel" if prod(self.shape(scale)) > 1 else "per_tensor"
        for weight in weights:
            self.scales[weight] = (granularity, block)

    def blanks(self) -> list[Blank]:
        """List everything stored; single settings and shapes (integers of at most 64 bytes) are left out."""
        found = []
        for name in self.stored:
            shape, dtype = self.shape(name), self.dtype(name)
            if name not in self.parameters and prod(shape) <= 8:
                continue
            granularity, block = self.scales.get(name, ("none", 0))
            storage = Storage(dtype=plain_dtype(dtype), granularity=granularity, group_size=block)
            found.append(Blank(name, shape, counted=name in self.parameters, storage=storage))
        return found
