"""What a program of ExecuTorch is made of: the layers inside its XNNPACK parts and the portable kernels beside them."""

import json
import re
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

_LAYERS = {
    "XNNConv2d": "Conv2d", "XNNDepthwiseConv2d": "DepthwiseConv2d", "XNNConvTranspose2d": "ConvTranspose2d",
    "XNNFullyConnected": "FullyConnected", "XNNBatchMatrixMultiply": "BatchMatrixMultiply",
    "XNNScaledDotProductAttention": "ScaledDotProductAttention",
}  # fmt: skip
_INFINITE = re.compile(r"(:\s*)-?(?:inf|nan)\b")  # bounds that do not bind, written as JSON does not know them
HEAVY = frozenset(_LAYERS.values())
_INTEGERS = frozenset({"xnn_datatype_qint8", "xnn_datatype_qcint8", "xnn_datatype_qint32", "xnn_datatype_qcint32"})


def read_program(content: bytes) -> Any:
    """Return the description of a program, its delegated parts included."""
    from executorch.exir._serialize._program import deserialize_pte_binary

    return deserialize_pte_binary(content).program


def portable_kernels(program: Any) -> Counter[str]:
    """Count the kernels that run outside of delegated parts."""
    found: Counter[str] = Counter()
    for plan in program.execution_plan:
        for chain in plan.chains:
            for instruction in chain.instructions:
                index = getattr(instruction.instr_args, "op_index", None)
                if index is not None:
                    found[plan.operators[index].name.removeprefix("aten::")] += 1
    return found


def delegated_layers(program: Any) -> Counter[tuple[str, str]]:
    """Count the layers of all XNNPACK parts by kind and by what they compute in ('f32', 'f16', 's8s8')."""
    found: Counter[tuple[str, str]] = Counter()
    for plan in program.execution_plan:
        for delegate in plan.delegates:
            if delegate.id == "XnnpackBackend":
                found += _layers(_graph(program.backend_delegate_data[delegate.processed.index].data))
    return found


def _graph(part: bytes) -> Any:
    """Return the graph of a part as its schema describes it."""
    from executorch.backends.xnnpack.serialization.xnnpack_graph_serialize import XNNHeader, _get_schema_bytes
    from executorch.exir._serialize._flatbuffer import _flatc_decompile

    header = XNNHeader.from_bytes(bytes(part[: XNNHeader.EXPECTED_LENGTH]))
    start = header.flatbuffer_offset
    with tempfile.TemporaryDirectory() as folder:
        schema, data = Path(folder) / "schema.fbs", Path(folder) / "graph.bin"
        schema.write_bytes(_get_schema_bytes())
        data.write_bytes(bytes(part[start : start + header.flatbuffer_size]))
        _flatc_decompile(folder, str(schema), str(data))
        text = (Path(folder) / "graph.json").read_text(encoding="utf-8")
        return json.loads(_INFINITE.sub(r"\1null", text))


def _layers(graph: Any) -> Counter[tuple[str, str]]:
    kinds = {}
    for value in graph["xvalues"]:
        told = value["xvalue_union"]
        plain = told.get("tensor_value", told)
        kinds[plain.get("id_out", 0)] = plain.get("datatype", "xnn_datatype_invalid")
    found: Counter[tuple[str, str]] = Counter()
    for node in graph["xnodes"]:
        kind, settings = node["xnode_union_type"], node["xnode_union"]
        read = [kinds.get(settings[key], "") for key in ("input1_id", "input_id") if key in settings]
        written = kinds.get(settings.get("output_id", 0), "")
        found[_LAYERS.get(kind, kind.removeprefix("XNN").lstrip("_")), _arithmetic([*read, written])] += 1
    return found


def _arithmetic(kinds: list[str]) -> str:
    if all(kind in _INTEGERS for kind in kinds):
        return "s8s8"
    return "f16" if "xnn_datatype_fp16" in kinds else "f32"
