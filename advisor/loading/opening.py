"""`load`: from what the user names to a network that is ready to be profiled."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.errors import ModelLoadError

from .files import Kind, existing_file, recognise
from .model import LoadedModel
from .request import Request
from .shapes import asked_inputs
from .sources import OBJECT, SOURCES

if TYPE_CHECKING:
    from torch import nn


def load(  # noqa: PLR0913  (each option has its own default)
    spec: "str | Path | nn.Module",
    *,
    arch: str | None = None,
    checkpoint: Path | str | None = None,
    input_shape: Any = None,
    trust: bool = False,
    allow_packages: Sequence[str] = (),
    batch: int = 1,
    sha256: Mapping[str, str] | None = None,
    check: bool = True,
) -> LoadedModel:
    """Open a model: a name such as `timm:NAME`, a file of any supported kind, or a module from Python.

    Files are hostile until `trust` says otherwise: nothing in them is executed. `input_shape` is C,H,W or N,C,H,W; for
    several inputs a list of shapes or a mapping of names to shapes. `allow_packages` names installed packages whose
    layer classes a file may use. `sha256` (file -> digest, part of a stored `LoadedModel.spec`) makes loading fail if a
    file has changed. `check` runs the network once on fake tensors, which tells whether the input fits.
    """
    request = Request(
        arch=arch,
        checkpoint=Path(checkpoint) if checkpoint else None,
        inputs=asked_inputs(input_shape, batch),
        trust=trust,
        allow_packages=tuple(allow_packages),
        batch=batch,
        digests=sha256 or {},
        check=check,
    )
    if not isinstance(spec, str | Path):
        from .named import from_object

        return from_object(spec, request)
    text = str(spec)
    if text.startswith(OBJECT):
        raise ModelLoadError(
            "the model was a Python object and cannot be opened from a file",
            where=text,
            remedy="Pass the module again.",
        )
    if text.partition(":")[0] in SOURCES:
        from .named import from_name

        return from_name(text, request)
    if request.checkpoint is not None:
        raise ModelLoadError(
            "two files were given", where=f"{text} and {request.checkpoint}",
            remedy="A checkpoint goes with an architecture: timm:NAME and --checkpoint FILE, or FILE and --arch NAME.",
        )  # fmt: skip
    path = _path(text)
    kind = recognise(path)
    if kind is Kind.ONNX:
        from .from_onnx import from_onnx

        return from_onnx(path, request)
    from .from_files import from_file

    return from_file(path, kind, request)


def _path(text: str) -> Path:
    path = Path(text).expanduser()
    if not path.exists() and path.name == text:
        from .architectures import names_like

        if named := names_like(text):
            remedy = f"For the network of that name write {named}."
            raise ModelLoadError("no such model file", where=text, remedy=remedy)
    return existing_file(path)
