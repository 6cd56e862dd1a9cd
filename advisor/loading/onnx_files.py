"""Opening ONNX files: checked, never executed; the input's open axes must be given."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from advisor.errors import ModelLoadError

from .rehearsal import first_line


@dataclass(frozen=True)
class OnnxInput:
    """The image input of a graph: its name and its axes, where None or a name means open."""

    name: str
    axes: tuple[int | str | None, ...]


def open_onnx(path: Path) -> onnx.ModelProto:
    """Read and check a file; weights in other files beside it are not read into memory."""
    try:
        onnx.checker.check_model(str(path))
        return onnx.load(str(path), load_external_data=False)
    except Exception as error:
        # Parser, checker and file system each raise their own kinds.
        raise ModelLoadError(
            "the ONNX file is damaged or not valid",
            where=f"{path}: {first_line(error)}",
            remedy="Export it again; weights stored outside must lie beside it.",
        ) from error


def image_input(model: onnx.ModelProto, path: Path) -> OnnxInput:
    """Return the first input that is no weight."""
    held = {t.name for t in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in held]
    if not inputs:
        raise ModelLoadError("the ONNX graph has no input", where=str(path), remedy="Export it with an image input.")
    shape = inputs[0].type.tensor_type.shape
    return OnnxInput(inputs[0].name, tuple(_axis(d) for d in shape.dim))


def onnx_shape(found: OnnxInput, asked: tuple[int, ...] | None, batch: int, path: Path) -> tuple[int, ...]:
    """Return the full input shape, from the file where it is fixed and from the user where it is open."""
    where = f"{path}: input {found.name!r} is {_write(found.axes)}"
    if not found.axes:
        if asked is None:
            raise ModelLoadError("the ONNX file does not tell its input shape", where=where, remedy="Give --input.")
        return asked
    if asked is not None:
        if len(asked) != len(found.axes) or any(
            a != b for a, b in zip(found.axes, asked, strict=True) if isinstance(a, int)
        ):
            raise ModelLoadError(
                f"the input shape {_write(asked)} contradicts the file",
                where=where,
                remedy="Leave --input out for fixed axes, or export the model with open ones.",
            )
        return asked
    first, *others = found.axes
    if open_axes := [f"{i} ({a or 'unnamed'})" for i, a in enumerate(others, 1) if not isinstance(a, int)]:
        raise ModelLoadError(
            f"the input has open axes: {', '.join(open_axes)}",
            where=where,
            remedy="Give the full shape with --input, for instance --input 1,3,224,224.",
        )
    if isinstance(first, int) and first != batch != 1:
        raise ModelLoadError(
            f"the file is fixed to a batch of {first}, not {batch}",
            where=where,
            remedy="Export it with an open batch axis, or leave the batch out.",
        )
    return (first if isinstance(first, int) else batch, *(a for a in others if isinstance(a, int)))


def onnx_classes(model: onnx.ModelProto) -> int | None:
    """Return the width of a two-dimensional first output."""
    if not model.graph.output:
        return None
    axes = [_axis(d) for d in model.graph.output[0].type.tensor_type.shape.dim]
    return axes[1] if len(axes) == 2 and isinstance(axes[1], int) else None


def external_files(model: onnx.ModelProto, path: Path) -> tuple[Path, ...]:
    """Return the files that hold weights outside the graph."""
    names = {
        entry.value for tensor in model.graph.initializer for entry in tensor.external_data if entry.key == "location"
    }
    return tuple(sorted(path.parent / name for name in names))


def _axis(dimension: Any) -> int | str | None:
    if dimension.HasField("dim_value"):
        return int(dimension.dim_value) if dimension.dim_value > 0 else None
    return str(dimension.dim_param) or None


def _write(axes: tuple[Any, ...]) -> str:
    return "x".join(str(a) if a is not None else "?" for a in axes) or "without shape"
