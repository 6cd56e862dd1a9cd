"""The network of a TorchScript archive as a module that follows the script's code, with the weights it stores."""

import ast
from typing import Any

from torch import Tensor, nn

from advisor.errors import ModelLoadError

from .archive_entries import Entries, damaged
from .script_code import Program, parse_program
from .script_machine import Record
from .script_pickle import ScriptPickle, StoredQuantized
from .script_quantized import dequantize, on_quantized
from .script_run import Interpreter
from .script_values import PackedWeight, Quantized, ScriptModule, ScriptObject

_PACKED = "__torch__.torch.classes.quantized."


class ScriptNet(nn.Module):
    """A whole script: `net` is its root module, `constants` the tensors that its code holds."""

    def __init__(self, program: Program, net: ScriptModule, constants: ScriptModule) -> None:
        """Take code and weights."""
        super().__init__()
        self.program, self.net, self.constants = program, net, constants

    def forward(self, *inputs: Tensor) -> Any:
        """Follow the script's forward method; class names of the script do not survive in the result."""
        return _plain(Interpreter(self.program, self.constants).method(self.net, "forward", list(inputs)))


def build_net(entries: Entries) -> ScriptNet:
    """Return the network of an archive."""
    program = parse_program(entries)
    pickles = ScriptPickle(entries)
    constants = ScriptModule("")
    maker = _Maker(program, constants)
    for number, value in enumerate(pickles.read("constants.pkl", "constants")):
        constants.put(f"c{number}", maker.value(value))
    net = maker.value(pickles.read("data.pkl", "data"))
    if not isinstance(net, ScriptModule) or "forward" not in program.types[net.script_type].methods:
        raise damaged(entries.path, "it holds no module with a forward method")
    return ScriptNet(program, net, constants)


def _plain(result: Any) -> Any:
    """Return tensors in plain tuples and dictionaries; what is empty or no tensor is left out."""
    if isinstance(result, dict):
        return {str(key): _plain(item) for key, item in result.items() if _holds_tensors(item)}
    if isinstance(result, list | tuple):
        return tuple(_plain(item) for item in result if _holds_tensors(item))
    return dequantize(result)


def _holds_tensors(value: Any) -> bool:
    return isinstance(value, Tensor | Quantized | list | tuple | dict)


class _Maker:
    """Turns what the pickle describes into modules and values; each record becomes one of them."""

    def __init__(self, program: Program, constants: ScriptModule) -> None:
        self._program, self._constants = program, constants
        self._made: dict[int, tuple[Record, Any]] = {}
        self._parameters: dict[int, nn.Parameter] = {}

    def value(self, stored: Any) -> Any:
        if isinstance(stored, Record):
            if id(stored) not in self._made:
                self._made[id(stored)] = (stored, None)
                self._made[id(stored)] = (stored, self._object(stored))
            return self._made[id(stored)][1]
        if isinstance(stored, StoredQuantized):
            return Quantized(stored.values, stored.scale, stored.zero_point, stored.axis)
        if isinstance(stored, list | tuple):
            return type(stored)(self.value(item) for item in stored)
        if isinstance(stored, dict):
            return {key: self.value(item) for key, item in stored.items()}
        return stored

    def _object(self, record: Record) -> Any:
        if record.name.startswith(_PACKED):
            return self._packed(record)
        found = self._program.types.get(record.name)
        if found is None:
            raise ModelLoadError(
                f"the script holds an object of {record.name[:120]}, whose code is not in the file",
                remedy="Custom C++ classes cannot be opened; give the network as ONNX.",
            )
        made: Any = ScriptModule(record.name) if found.base == "Module" else ScriptObject(record.name)
        state = self.value(record.state)
        if "__setstate__" in found.methods:
            Interpreter(self._program, self._constants).method(made, "__setstate__", [state])
            return made
        listed = found.fields.get("__parameters__")
        elements = listed.elts if isinstance(listed, ast.List) else []
        parameters = {e.value for e in elements if isinstance(e, ast.Constant)}
        for name, value in (state or {}).items():
            if isinstance(made, ScriptModule):
                made.put(name, self._parameter(value) if name in parameters else value)
            else:
                made.values[name] = value
        return made

    def _parameter(self, value: Any) -> Any:
        """Return the parameter of a tensor, which need not be trainable; a shared one is made once."""
        if not isinstance(value, Tensor) or isinstance(value, nn.Parameter):
            return value
        return self._parameters.setdefault(id(value), nn.Parameter(value, requires_grad=False))

    def _packed(self, record: Record) -> PackedWeight:
        """Read the kernel of a quantized layer as torch stores it by itself."""
        name, state = record.name.removeprefix(_PACKED), self.value(record.state)
        if name == "LinearPackedParamsBase":
            weight, bias = state
            packed: PackedWeight = on_quantized("quantized", "linear_prepack", [weight, bias], {})
            return packed
        if name in ("Conv2dPackedParamsBase", "Conv3dPackedParamsBase"):
            _, tensors, optional = state
            figures = [int(v) for v in tensors[0].tolist()]
            spatial = figures[0]
            groups = [figures[1 + spatial * i : 1 + spatial * (i + 1)] for i in range(3)]
            arguments = [tensors[1], optional[0] if optional else None, *groups, figures[1 + 4 * spatial]]
            made: PackedWeight = on_quantized("quantized", f"conv{spatial}d_prepack", arguments, {})
            return made
        raise ModelLoadError(
            f"the script holds quantized kernels of the kind {name[:80]}, which are not read",
            remedy="Give the network as ONNX, or before it was quantized.",
        )
