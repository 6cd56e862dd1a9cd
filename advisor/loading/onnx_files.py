"""Opening ONNX files: checked, never executed; the inputs' open axes must be given."""

from pathlib import Path
from typing import Any

import onnx
from onnx import helper

from advisor.errors import ModelLoadError, first_line, nearest
from advisor.schema import ModelInput

from .apart import FailedApart, apart
from .onnx_tensors import check_tensors
from .shapes import checked_size

_LARGEST_FILE = 2**31  # bytes: what protobuf can hold; larger weights lie in files beside it

Axes = tuple[int | str | None, ...]  # None or a name means open


def open_onnx(path: Path) -> onnx.ModelProto:
    """Read and check a file; weights in other files beside it are checked but not read into memory."""
    if path.stat().st_size >= _LARGEST_FILE:
        raise ModelLoadError(
            "the ONNX file is larger than 2 GB", where=str(path), remedy="Export it with its weights in a file beside."
        )
    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception as error:  # parser and file system each raise their own kinds
        raise _damaged(path, first_line(error)) from error
    if not model.graph.node:
        raise ModelLoadError("the ONNX file holds no operations", where=str(path), remedy="Export the network again.")
    check_tensors(model, path)
    try:
        apart(lambda: onnx.checker.check_model(str(path)) or b"", where=str(path))
    except FailedApart as error:
        raise _damaged(path, str(error)) from error
    return model


def _damaged(path: Path, reason: str) -> ModelLoadError:
    return ModelLoadError(
        "the ONNX file is damaged or not valid",
        where=f"{path}: {reason}",
        remedy="Export it again; weights stored outside must lie beside it.",
    )


def onnx_opset(model: onnx.ModelProto) -> int:
    """Return the version of the default operator set."""
    return max((one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), default=1)


def graph_inputs(model: onnx.ModelProto, path: Path) -> tuple[tuple[str, Axes, str], ...]:
    """Return name, axes and dtype of the inputs that are no weights."""
    held = {t.name for t in model.graph.initializer} | {t.values.name for t in model.graph.sparse_initializer}
    found = []
    for value in model.graph.input:
        if value.name in held:
            continue
        tensor = value.type.tensor_type
        if not value.type.HasField("tensor_type"):
            raise ModelLoadError(
                f"the input {value.name!r} is no tensor", where=str(path), remedy="Export it with tensor inputs only."
            )
        found.append((value.name, tuple(_axis(d) for d in tensor.shape.dim), dtype_name(tensor.elem_type)))
    if not found:
        raise ModelLoadError("the ONNX graph has no input", where=str(path), remedy="Export it with an image input.")
    return tuple(found)


def onnx_inputs(
    model: onnx.ModelProto, asked: tuple[ModelInput, ...] | None, batch: int, path: Path
) -> tuple[ModelInput, ...]:
    """Return the full shape of every input, from the file where it is fixed and from the user where it is open."""
    found = graph_inputs(model, path)
    given = _by_name(asked or (), [name for name, _, _ in found], path)
    # A batch that the user leaves open is the first input's, so that all agree.
    leading, axes, _ = found[0]
    _check_batch(leading, axes, given.get(leading), batch, path)
    if leading in given:
        batch = given[leading].shape[0]
    return tuple(
        ModelInput(
            name=name,
            shape=checked_size(_shape(name, axes, given.get(name), batch, path), str(path)),
            dtype=dtype,
        )
        for name, axes, dtype in found
    )


def _by_name(asked: tuple[ModelInput, ...], names: list[str], path: Path) -> dict[str, ModelInput]:
    """Assign what the user gave: by name where it has one, else in order."""
    given = {one.name: one for one in asked if one.name}
    for name in given:
        if name not in names:
            raise ModelLoadError(
                f"the ONNX graph has no input {name!r}",
                where=f"{path}: {', '.join(names)}",
                remedy=nearest(name, names) or f"Its inputs are {', '.join(names)}.",
            )
    free = [name for name in names if name not in given]
    unnamed = [one for one in asked if not one.name]
    if len(unnamed) > len(free):
        raise ModelLoadError(
            f"{len(asked)} input shapes were given, the ONNX graph has {len(names)}",
            where=f"{path}: {', '.join(names)}",
            remedy="Give one --input for each.",
        )
    return given | dict(zip(free, unnamed, strict=False))


def _check_batch(name: str, axes: Axes, asked: ModelInput | None, batch: int, path: Path) -> None:
    if axes and asked is None and isinstance(axes[0], int) and axes[0] != batch != 1:
        raise ModelLoadError(
            f"the file is fixed to a batch of {axes[0]}, not {batch}",
            where=f"{path}: input {name!r} is {_write(axes)}",
            remedy="Export it with an open batch axis, or leave the batch out.",
        )


def _shape(name: str, axes: Axes, asked: ModelInput | None, batch: int, path: Path) -> tuple[int, ...]:
    where = f"{path}: input {name!r} is {_write(axes)}"
    if not axes:
        if asked is None:
            raise ModelLoadError("the ONNX file does not tell its input shape", where=where, remedy="Give --input.")
        return asked.shape
    if asked is not None:
        fixed = [a for a in axes if isinstance(a, int)]
        if len(asked.shape) != len(axes) or any(
            a != b for a, b in zip(axes, asked.shape, strict=True) if isinstance(a, int)
        ):
            remedy = (
                "Leave --input out for fixed axes" if len(fixed) == len(axes) else "Give the fixed axes as they are"
            )
            raise ModelLoadError(
                f"the input shape {_write(asked.shape)} contradicts the file",
                where=where,
                remedy=f"{remedy}, or export the model with open ones.",
            )
        return asked.shape
    first, *others = axes
    if open_axes := [f"{i} ({a or 'unnamed'})" for i, a in enumerate(others, 1) if not isinstance(a, int)]:
        raise ModelLoadError(
            f"the input has open axes: {', '.join(open_axes)}",
            where=where,
            remedy="Give the full shape with --input, for instance --input 1x3x224x224.",
        )
    return (first if isinstance(first, int) else batch, *(a for a in others if isinstance(a, int)))


def onnx_classes(model: onnx.ModelProto) -> int | None:
    """Return the width of a two-dimensional first output."""
    if not model.graph.output:
        return None
    axes = [_axis(d) for d in model.graph.output[0].type.tensor_type.shape.dim]
    return axes[1] if len(axes) == 2 and isinstance(axes[1], int) else None


def dtype_name(element: int) -> str:
    """Return the numpy name of an ONNX element type."""
    try:
        return str(helper.tensor_dtype_to_np_dtype(element).name)
    except (KeyError, ValueError, TypeError):
        return "float32"


def _axis(dimension: Any) -> int | str | None:
    if dimension.HasField("dim_value"):
        return int(dimension.dim_value) if dimension.dim_value > 0 else None
    return str(dimension.dim_param) or None


def _write(axes: tuple[Any, ...]) -> str:
    return "x".join(str(a) if a is not None else "?" for a in axes) or "without shape"
