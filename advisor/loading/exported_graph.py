"""From the JSON of a torch.export archive to a graph: node by node, nothing of it evaluated as an expression or code.

What is not needed to compute is not looked at: guards, ranges, traces of the source, example inputs, tree descriptions.
"""

import keyword
import operator
from typing import Any

from torch import fx

from advisor.errors import ModelLoadError

from .exported_arguments import DROPPED, INLINED, argument, names_in, target
from .opened import checked_name

_MOST_NODES = 200_000
_DEEPEST = 4  # graphs within graphs


class GraphReader:
    """Builds one graph; `graph`, `inputs` (the names of the images) and `weights` (those it reads) are its result."""

    def __init__(self, document: dict[str, Any]) -> None:
        """Take the `graph_module` of an archive and read it whole."""
        self.graph = fx.Graph()
        self.inputs: list[str] = []
        self.dropped_outputs = 0
        self._values: dict[str, fx.Node] = {}
        self._left = _MOST_NODES
        described, signature = document["graph"], document["signature"]
        for given, spec in zip(described["inputs"], signature["input_specs"], strict=True):
            self._input(given, spec)
        self._nodes(described["nodes"], 0)
        self._outputs(described["outputs"], signature["output_specs"])
        for node in self.graph.find_nodes(op="get_attr"):
            if not node.users:
                self.graph.erase_node(node)
        self.weights = {str(node.target) for node in self.graph.find_nodes(op="get_attr")}
        self.quantized = any("dequantize" in str(n.target) for n in self.graph.nodes if n.op == "call_function")

    def _input(self, given: dict[str, Any], spec: dict[str, Any]) -> None:
        ((kind, content),) = spec.items()
        if kind == "user_input" and "as_tensor" in given:
            name = checked_name(given["as_tensor"]["name"])
            self.inputs.append(name)
            plain = name if name.isidentifier() and not keyword.iskeyword(name) else "x"
            self._values[name] = self.graph.placeholder(plain)
        elif kind in ("parameter", "buffer", "tensor_constant"):
            weight = checked_name(content[f"{kind}_name"])
            self._values[given["as_tensor"]["name"]] = self.graph.get_attr(weight)
        elif kind == "constant_input" or (kind == "user_input" and "as_none" in given):
            return  # a Python number that is written into the nodes, too
        else:
            raise ModelLoadError(
                f"the exported network takes a {kind.replace('_', ' ')}, which is not read",
                where=str(content)[:120],
                remedy="Networks of plain tensors are opened; give this one as ONNX.",
            )

    def _nodes(self, nodes: list[dict[str, Any]], depth: int) -> None:
        for node in nodes:
            self._left -= 1
            if self._left < 0:
                raise ValueError("too many nodes")
            if node["target"] in INLINED:
                self._inline(node, depth + 1)
            elif node["target"] not in DROPPED:
                self._node(node)

    def _node(self, node: dict[str, Any]) -> None:
        called = target(node["target"])
        schema = getattr(called, "_schema", None)
        keyword_only = {a.name for a in schema.arguments if a.kwarg_only} if schema else set()
        places = [a.name for a in schema.arguments] if schema else []
        positional: list[Any] = []
        named: dict[str, Any] = {}
        for entry in node["inputs"]:
            value, name = argument(entry["arg"], self._values), entry["name"]
            if schema is None or (name not in keyword_only and places.index(name) == len(positional)):
                positional.append(value)
            else:
                named[places[places.index(name)]] = value
        made = self.graph.call_function(called, tuple(positional), named)
        self._results(made, node["outputs"], len(schema.returns) if schema else 1)

    def _results(self, made: fx.Node, outputs: list[dict[str, Any]], returned: int) -> None:
        """Give the results their names; several are taken apart."""
        listed = returned == 1 and len(outputs) == 1 and "as_tensors" in outputs[0]
        names = [name for output in outputs for name in names_in(output)]
        if returned <= 1 and not listed:
            names, parts = names[:1], [made]
        else:
            parts = [self.graph.call_function(operator.getitem, (made, i)) for i in range(len(names))]
        for name, part in zip(names, parts, strict=True):
            if name is not None:
                self._values[name] = part
            elif part is not made:
                self.graph.erase_node(part)

    def _inline(self, node: dict[str, Any], depth: int) -> None:
        """Put in place the graph of a block that only switches gradients or mixed precision."""
        arguments = [entry["arg"] for entry in node["inputs"]]
        (place,) = [i for i, given in enumerate(arguments) if "as_graph" in given]
        switched_on = "autocast" in node["target"] and {"as_bool": True} in arguments[2:3]
        if depth > _DEEPEST or switched_on:
            raise ModelLoadError(
                "the exported network switches precision on its way, which is not followed",
                remedy="Export it without torch.autocast.",
            )
        inner = arguments[place]["as_graph"]["graph"]
        for given, outer in zip(inner["inputs"], arguments[place + 1 :], strict=True):
            self._values[given["as_tensor"]["name"]] = argument(outer, self._values)
        self._nodes(inner["nodes"], depth)
        made = [argument(output, self._values) for output in inner["outputs"]]
        names = [name for output in node["outputs"] for name in names_in(output)]
        self._values |= {name: value for name, value in zip(names, made, strict=True) if name is not None}

    def _outputs(self, outputs: list[dict[str, Any]], specs: list[dict[str, Any]]) -> None:
        """Return what the user gets; changes of buffers are left out."""
        kept = [given for given, spec in zip(outputs, specs, strict=True) if "user_output" in spec]
        self.dropped_outputs = len(outputs) - len(kept)
        results = [r for r in (argument(given, self._values) for given in kept) if isinstance(r, fx.Node)]
        if not results:
            raise ValueError("no output")
        self.graph.output(results[0] if len(results) == 1 else tuple(results))
