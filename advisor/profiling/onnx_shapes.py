"""Shapes and dtypes of every value of an ONNX graph once its input is fixed."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import inliner, shape_inference

from advisor.errors import ModelLoadError
from advisor.loading.apart import FailedApart, apart
from advisor.loading.onnx_files import dtype_name, onnx_inputs
from advisor.schema import ModelInput


@dataclass(frozen=True)
class ValueType:
    """Shape and numpy name of the dtype of one value."""

    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class FixedGraph:
    """A graph whose shapes are all known; `measured` says that it had to be run for them."""

    graph: Any
    types: dict[str, ValueType]
    measured: bool


def fix_shapes(model: onnx.ModelProto, path: Path, asked: tuple[ModelInput, ...] | None) -> FixedGraph:
    """Set the inputs' open axes and work out every other shape: by inference, else by one run on zeros."""
    inputs = onnx_inputs(model, asked, 1, path)
    for one in inputs:
        _set_shape(next(v for v in model.graph.input if v.name == one.name), one.shape)
    del model.graph.value_info[:]  # shapes noted for open axes would contradict the fixed ones
    written = ", ".join("x".join(map(str, one.shape)) for one in inputs)
    try:
        inferred = onnx.load_from_string(apart(lambda: _infer(model), where=str(path)))
    except FailedApart as error:
        raise ModelLoadError(
            f"the ONNX graph does not accept an input of shape {written}",
            where=f"{path}: {error}",
            remedy="Give the shape it was exported for with --input.",
        ) from error
    types = _types(inferred)
    missing = [o for node in inferred.graph.node for o in node.output if o and o not in types]
    if missing:
        try:
            types |= _measure(path, inputs, missing)
        except FailedApart as error:
            raise ModelLoadError(
                f"the ONNX graph cannot be followed with an input of shape {written}",
                where=f"{path}: {error}",
                remedy="Check the shape given with --input, or simplify the graph when exporting it.",
            ) from error
    return FixedGraph(inferred.graph, types, bool(missing))


def _infer(model: onnx.ModelProto) -> bytes:
    whole = shape_inference.infer_shapes(_inlined(model), data_prop=True)
    return bytes(whole.SerializeToString())


def _inlined(model: onnx.ModelProto) -> onnx.ModelProto:
    return inliner.inline_local_functions(model) if model.functions else model


def _set_shape(value: Any, shape: tuple[int, ...]) -> None:
    dims = value.type.tensor_type.shape.dim
    del dims[:]
    for side in shape:
        dims.add().dim_value = side


def _types(model: onnx.ModelProto) -> dict[str, ValueType]:
    """Collect what is fully known: initialisers, inputs, inferred values."""
    types = {t.name: ValueType(tuple(t.dims), dtype_name(t.data_type)) for t in model.graph.initializer}
    for value in (*model.graph.input, *model.graph.value_info, *model.graph.output):
        tensor = value.type.tensor_type
        if not tensor.elem_type or not tensor.HasField("shape"):
            continue
        if all(d.HasField("dim_value") and d.dim_value >= 0 for d in tensor.shape.dim):
            types[value.name] = ValueType(tuple(d.dim_value for d in tensor.shape.dim), dtype_name(tensor.elem_type))
    return types


def _measure(path: Path, inputs: tuple[ModelInput, ...], missing: list[str]) -> dict[str, ValueType]:
    """Run the graph once on zeros, apart, and read off the shapes that inference could not find."""

    def run() -> bytes:
        import onnxruntime

        full = _inlined(onnx.load(str(path)))
        del full.graph.output[:]
        full.graph.output.extend(onnx.ValueInfoProto(name=o) for o in missing)
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(full.SerializeToString(), options, providers=["CPUExecutionProvider"])
        results = session.run(missing, {one.name: np.zeros(one.shape, one.dtype) for one in inputs})
        found = [(list(np.shape(r)), str(np.asarray(r).dtype)) for r in results]
        return json.dumps(found).encode()

    found = json.loads(apart(run, where=str(path)))
    return {o: ValueType(tuple(shape), dtype) for o, (shape, dtype) in zip(missing, found, strict=True)}
