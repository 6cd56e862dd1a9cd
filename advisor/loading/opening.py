"""`load`: from what the user names to a network that is ready to be profiled."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from advisor.errors import ModelLoadError

from .architectures import SOURCES, architecture, brings_weights, build, names_like
from .files import existing_file
from .finish import finish
from .from_files import from_checkpoint, from_file
from .model import LoadedModel
from .rehearsal import real_copy
from .request import Origin, Request
from .shapes import asked_inputs

_OBJECT = "object:"


def load(  # noqa: PLR0913  (each option has its own default)
    spec: str | Path | nn.Module,
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
    if isinstance(spec, nn.Module):
        return _from_object(spec, request)
    text = str(spec)
    if text.startswith(_OBJECT):
        raise ModelLoadError(
            "the model was a Python object and cannot be opened from a file",
            where=text,
            remedy="Pass the module again.",
        )
    if text.partition(":")[0] in SOURCES:
        return _from_name(text, request)
    if request.checkpoint is not None:
        raise ModelLoadError(
            "two files were given", where=f"{text} and {request.checkpoint}",
            remedy="A checkpoint goes with an architecture: timm:NAME and --checkpoint FILE, or FILE and --arch NAME.",
        )  # fmt: skip
    return from_file(_path(text), request)


def _path(text: str) -> Path:
    path = Path(text).expanduser()
    if not path.exists() and path.name == text and (named := names_like(text)):
        raise ModelLoadError("no such model file", where=text, remedy=f"For the network of that name write {named}.")
    return existing_file(path)


def _from_object(module: nn.Module, request: Request) -> LoadedModel:
    kind = type(module)
    source = f"{_OBJECT}{kind.__module__}.{kind.__qualname__}"
    return finish(real_copy(module), request, Origin(kind.__name__, source, "nn.Module from Python"))


def _from_name(name: str, request: Request) -> LoadedModel:
    if request.checkpoint is not None:
        return from_checkpoint(existing_file(request.checkpoint), name, request, spec=name)
    found = architecture(name)
    module = build(str(found), input_shape=request.shape, trust=request.trust)
    random = not brings_weights(found)
    return finish(
        module,
        request,
        Origin(
            name=found.name,
            source=str(found),
            kind=f"network of {found.source} by name",
            arch=str(found),
            recognised="named",
            random=random,
            notes=("random weights: no checkpoint was given",) if random else (),
        ),
    )
