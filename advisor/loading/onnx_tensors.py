"""Checking the tensors that an ONNX file holds or points to, before any library follows its word."""

from collections.abc import Iterator
from math import prod
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from advisor.errors import ModelLoadError
from advisor.writing import write_bytes

INSIDE = "inside.onnx"  # what is made of a file whose weights lie beside it
_ONE_FILE = 2 * 1000**3  # bytes, a limit of protobuf
_MOST_ELEMENTS = 2**36  # of one tensor: 64 GB in bytes
_FLOATS = {TensorProto.FLOAT: np.float32, TensorProto.FLOAT16: np.float16, TensorProto.DOUBLE: np.float64}
_COMPLEX = (TensorProto.COMPLEX64, TensorProto.COMPLEX128)
_WEIGHT_AXES = 2  # a float64 scalar or vector is a constant of the exporter; from two axes on it is a weight


def check_tensors(model: onnx.ModelProto, path: Path) -> None:
    """Refuse tensors whose data are missing, elsewhere, of another size, not a number, or of a type no device runs."""
    for tensor in tensors_of(model):
        _check_size(tensor, path)
        external = tensor.data_location == TensorProto.EXTERNAL
        region = _external(tensor, path) if external else None
        if tensor.data_type in _COMPLEX:
            raise _refused("holds complex weights", tensor, path, "Export the network with real weights in float32.")
        if tensor.data_type == TensorProto.DOUBLE and len(tensor.dims) >= _WEIGHT_AXES:
            raise _refused("holds float64 weights", tensor, path, "Convert the network with .float() and export again.")
        if tensor.data_type in _FLOATS and (count := _not_numbers(tensor, region)):
            raise _refused(f"holds weights that are not numbers ({count} NaN)", tensor, path, "Train or export again.")


def external_files(model: onnx.ModelProto, path: Path) -> tuple[Path, ...]:
    """Return the files that hold weights outside the graph."""
    names = {_entries(t)["location"] for t in tensors_of(model) if t.data_location == TensorProto.EXTERNAL}
    return tuple(sorted(path.parent / name for name in names))


def files_of(path: Path) -> tuple[Path, ...]:
    """Return an ONNX file and those that hold its weights beside it."""
    return (path, *external_files(onnx.load(path, load_external_data=False), path))


def one_file(path: Path, folder: Path) -> Path:
    """Return an ONNX file that holds all of its weights: the file itself, or one in `folder` that is made of it.

    Raises ModelLoadError where the weights do not fit into one file.
    """
    _, *outside = files_of(path)
    target = folder / INSIDE
    if not outside or target.is_file():
        return target if outside else path
    if sum(file.stat().st_size for file in outside) >= _ONE_FILE:
        raise ModelLoadError(
            "its weights do not fit into one ONNX file, which holds less than 2 GB",
            where=str(path),
            remedy="Give the network's PyTorch form, or half precision.",
        )
    write_bytes(target, onnx.load(path).SerializeToString())
    return target


def tensors_of(model: onnx.ModelProto) -> Iterator[Any]:
    """Yield every tensor of the graph, its subgraphs and its functions, wherever it may stand."""
    yield from _in_graph(model.graph)
    for function in model.functions:
        for node in function.node:
            yield from _in_node(node)


def _in_graph(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        yield from _in_node(node)


def _in_node(node: Any) -> Iterator[Any]:
    for attribute in node.attribute:
        if attribute.HasField("t"):
            yield attribute.t
        yield from attribute.tensors
        for sparse in (*([attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else ()),
                       *attribute.sparse_tensors):  # fmt: skip
            yield from (sparse.values, sparse.indices)
        if attribute.HasField("g"):
            yield from _in_graph(attribute.g)
        for graph in attribute.graphs:
            yield from _in_graph(graph)


def _check_size(tensor: Any, path: Path) -> None:
    if any(side < 0 for side in tensor.dims) or prod(tensor.dims) > _MOST_ELEMENTS:
        raise _refused("holds a tensor of impossible shape", tensor, path, "Export the network again.")
    expected = _bytes(tensor)
    if tensor.data_location != TensorProto.EXTERNAL and tensor.HasField("raw_data") and expected is not None:
        held = len(tensor.raw_data)
        if held != expected:
            raise _refused(
                f"holds {held} bytes for a tensor of {expected}", tensor, path, "It is damaged; export it again."
            )


def _bytes(tensor: Any) -> int | None:
    """Return how many bytes the tensor takes, None for strings and types of less than a byte."""
    try:
        item = helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    except (KeyError, ValueError, TypeError):
        return None
    name = TensorProto.DataType.Name(tensor.data_type)
    return (
        None
        if tensor.data_type == TensorProto.STRING or name.endswith(("INT4", "INT2", "4E2M1"))
        else int(prod(tensor.dims) * item)
    )


def _external(tensor: Any, path: Path) -> tuple[Path, int]:
    """Return file and offset of outside data, after making sure that they lie beside the model and are all there."""
    entries = _entries(tensor)
    name = entries.get("location", "")
    pure = PurePosixPath(name)
    if not name or pure.is_absolute() or ".." in pure.parts or "\\" in name or "\0" in name:
        raise _refused(
            f"points to weights outside its folder ({name!r})", tensor, path,
            "Weights must lie beside the file; do not use it unless you know where it comes from.",
        )  # fmt: skip
    file = path.parent / name
    if not file.is_file():
        raise _refused(f"needs its weights from {name!r}, which is not there", tensor, path, "Put that file beside it.")
    if not file.resolve().is_relative_to(path.parent.resolve()):
        raise _refused(
            f"points to weights outside its folder through a link ({name!r})", tensor, path,
            "Copy the weights beside the file.",
        )  # fmt: skip
    try:
        offset, length = int(entries.get("offset") or 0), int(entries.get("length") or 0)
    except ValueError:
        offset = length = -1
    needed = _bytes(tensor) or 0
    available = file.stat().st_size
    if offset < 0 or length < 0 or (length and needed and length != needed) or offset + (needed or length) > available:
        raise _refused(
            f"asks for bytes {offset} to {offset + (length or needed)} of {name!r}, which has {available} (the tensor "
            f"takes {needed})", tensor, path, "The file of weights is damaged or another one; copy it again.",
        )  # fmt: skip
    return file, offset


def _entries(tensor: Any) -> dict[str, str]:
    return {entry.key: entry.value for entry in tensor.external_data}


def _not_numbers(tensor: Any, region: tuple[Path, int] | None) -> int:
    """Count NaN; single numbers may be NaN on purpose."""
    if prod(tensor.dims) <= 1:
        return 0
    dtype = _FLOATS[tensor.data_type]
    values: Any
    if region is not None:
        values = np.memmap(region[0], dtype=dtype, mode="r", offset=region[1], shape=(prod(tensor.dims),))
    elif tensor.HasField("raw_data"):
        values = np.frombuffer(tensor.raw_data, dtype=dtype)
    else:
        try:
            values = numpy_helper.to_array(tensor)
        except Exception:  # data of another size: the checker tells which
            return 0
    # One pass that stays a scalar for clean weights: a sum is NaN if any value is (infinities of both signs as well).
    with np.errstate(all="ignore"):
        if not np.isnan(np.sum(values, dtype=np.float64)):
            return 0
    return int(np.isnan(values).sum())


def _refused(what: str, tensor: Any, path: Path, remedy: str) -> ModelLoadError:
    return ModelLoadError(f"the ONNX file {what}", where=f"{path}: {tensor.name or 'a constant'}", remedy=remedy)
