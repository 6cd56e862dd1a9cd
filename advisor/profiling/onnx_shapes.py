"""Shapes and dtypes of every value of an ONNX graph once its input is fixed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, inliner, shape_inference

from advisor.errors import ModelLoadError
from advisor.loading.onnx_files import image_input, onnx_shape
from advisor.loading.rehearsal import first_line


@dataclass(frozen=True)
class ValueType:
    """Shape and numpy name of the dtype of one value."""

    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class FixedGraph:
    """A graph whose shapes are all known; `measured` says that it had to be run for them."""

    graph: Any
    input_name: str
    types: dict[str, ValueType]
    measured: bool


def fix_shapes(model: onnx.ModelProto, path: Path, asked: tuple[int, ...] | None) -> FixedGraph:
    """Set the input's open axes and work out every other shape: by inference, else by one run on zeros."""
    if model.functions:
        model = inliner.inline_local_functions(model)
    found = image_input(model, path)
    shape = onnx_shape(found, asked, asked[0] if asked else 1, path)
    _set_shape(next(v for v in model.graph.input if v.name == found.name), shape)
    del model.graph.value_info[:]  # shapes noted for open axes would contradict the fixed ones
    try:
        inferred = shape_inference.infer_shapes(model, data_prop=True)
    except Exception as error:
        raise ModelLoadError(
            f"the ONNX graph does not accept an input of shape {'x'.join(map(str, shape))}",
            where=f"{path}: {first_line(error)}",
            remedy="Give the shape it was exported for with --input.",
        ) from error
    types = _types(inferred)
    missing = [o for node in inferred.graph.node for o in node.output if o and o not in types]
    if missing:
        types |= _measure(path, inferred, found.name, shape, missing)
    return FixedGraph(inferred.graph, found.name, types, bool(missing))


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


def dtype_name(element: int) -> str:
    """Return the numpy name of an ONNX element type."""
    try:
        return str(helper.tensor_dtype_to_np_dtype(element).name)
    except (KeyError, ValueError, TypeError):
        return "float32"


def _measure(
    path: Path, inferred: onnx.ModelProto, name: str, shape: tuple[int, ...], missing: list[str]
) -> dict[str, ValueType]:
    """Run the graph once on zeros and read off the shapes that inference could not find."""
    import onnxruntime

    full = onnx.load(str(path))
    if full.functions:
        full = inliner.inline_local_functions(full)
    del full.graph.output[:]
    full.graph.output.extend(onnx.ValueInfoProto(name=o) for o in missing)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(full.SerializeToString(), options, providers=["CPUExecutionProvider"])
        dtype = next(dtype_name(v.type.tensor_type.elem_type) for v in inferred.graph.input if v.name == name)
        results = session.run(missing, {name: np.zeros(shape, dtype)})
    except Exception as error:
        raise ModelLoadError(
            f"the ONNX graph cannot be followed with an input of shape {'x'.join(map(str, shape))}",
            where=f"{path}: {first_line(error)}",
            remedy="Check the shape given with --input, or simplify the graph when exporting it.",
        ) from error
    return {o: ValueType(tuple(np.shape(r)), str(np.asarray(r).dtype)) for o, r in zip(missing, results, strict=True)}
