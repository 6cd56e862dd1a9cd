"""`load`: from what the user names to a network that is ready to be profiled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import timm
from torch import Tensor, nn

from advisor.errors import ModelLoadError

from .architectures import build, timm_name
from .checkpoints import fill, find_content
from .files import Kind, existing_file, recognise, sha256
from .model import LoadedModel
from .onnx_files import external_files, image_input, onnx_classes, onnx_shape, open_onnx
from .pickles import read_pickle
from .preprocessing import preprocessing
from .rehearsal import real_copy, rehearse
from .shapes import asked_shape, usual_shape

_OBJECT = "object:"


@dataclass(frozen=True)
class _Request:
    """What the user asked for, checked."""

    arch: str | None
    checkpoint: Path | None
    shape: tuple[int, ...] | None
    trust: bool
    batch: int
    digests: Mapping[str, str]


@dataclass(frozen=True)
class _Origin:
    """Where a network comes from."""

    name: str
    source: str
    spec: str = ""  # what `load` takes for the same network; the source where empty
    files: tuple[Path, ...] = ()
    arch: str | None = None
    random: bool = False
    notes: tuple[str, ...] = ()


def load(
    spec: str | Path | nn.Module,
    *,
    arch: str | None = None,
    checkpoint: Path | str | None = None,
    input_shape: Sequence[int] | None = None,
    trust: bool = False,
    batch: int = 1,
    sha256: Mapping[str, str] | None = None,
) -> LoadedModel:
    """Open a model: `timm:NAME`, a checkpoint, a pickled module, an .onnx file or a module from Python.

    Files are hostile until `trust` says otherwise: nothing in them is executed. `input_shape` is C,H,W or N,C,H,W.
    `sha256` (file -> digest, part of a stored `LoadedModel.spec`) makes loading fail if a file has changed.
    """
    request = _Request(
        arch, Path(checkpoint) if checkpoint else None, asked_shape(input_shape, batch), trust, batch, sha256 or {}
    )
    if isinstance(spec, nn.Module):
        return _from_object(spec, request)
    text = str(spec)
    if text.startswith("timm:"):
        return _from_timm(text, request)
    if text.startswith(_OBJECT):
        raise ModelLoadError(
            "the model was a Python object and cannot be opened from a file",
            where=text,
            remedy="Pass the module again.",
        )
    return _from_file(_path(text), request)


def _path(text: str) -> Path:
    path = Path(text).expanduser()
    if not path.exists() and path.name == text and timm.is_model(text):
        raise ModelLoadError("no such model file", where=text, remedy=f"For the timm network write timm:{text}.")
    return existing_file(path)


def _from_object(module: nn.Module, request: _Request) -> LoadedModel:
    kind = type(module)
    source = f"{_OBJECT}{kind.__module__}.{kind.__qualname__}"
    return _finish(real_copy(module), request, _Origin(kind.__name__, source))


def _from_timm(spec: str, request: _Request) -> LoadedModel:
    arch = f"timm:{timm_name(spec)}"
    if request.checkpoint is None:
        module = build(arch, input_shape=request.shape)
        note = "random weights: no checkpoint was given"
        return _finish(module, request, _Origin(arch[5:], arch, arch=arch, random=True, notes=(note,)))
    path = existing_file(request.checkpoint)
    return _from_checkpoint(path, recognise(path), arch, request, spec=spec)


def _from_file(path: Path, request: _Request) -> LoadedModel:
    if request.checkpoint is not None:
        raise ModelLoadError(
            "two files were given", where=f"{path} and {request.checkpoint}",
            remedy="A checkpoint goes with an architecture: timm:NAME and --checkpoint FILE, or FILE and --arch NAME.",
        )  # fmt: skip
    kind = recognise(path)
    if kind is Kind.ONNX:
        return _from_onnx(path, request)
    return _from_checkpoint(path, kind, request.arch, request, spec=str(path.resolve()))


def _from_checkpoint(path: Path, kind: Kind, arch: str | None, request: _Request, spec: str) -> LoadedModel:
    _compare_digests((path,), request)
    content, notes = find_content(_read(path, kind, request.trust), path)
    origin = _Origin(path.stem, str(path), spec=spec, files=(path,), notes=notes)
    if isinstance(content, nn.Module):
        if arch is not None:
            origin = replace(origin, notes=(*notes, f"the file holds a whole network; {arch} was not needed"))
        return _finish(content.eval(), request, origin)
    if arch is None:
        raise ModelLoadError(
            f"the file holds {len(content)} weights but not the network they belong to",
            where=f"{path}: {', '.join(list(content)[:3])}, ...",
            remedy="Name the architecture with --arch timm:NAME, or pass the nn.Module from Python.",
        )
    arch = f"timm:{timm_name(arch)}"
    module = build(arch, weights=content, input_shape=request.shape)
    notes = (*notes, *fill(module, content, path, arch))
    return _finish(module, request, replace(origin, arch=arch, notes=notes))


def _read(path: Path, kind: Kind, trust: bool) -> Any:
    if kind in (Kind.TORCHSCRIPT, Kind.EXPORTED):
        raise ModelLoadError(
            f"the file is a {kind}, which this version does not open",
            where=str(path),
            remedy="Give the state dict with --arch, the network exported to ONNX, or the nn.Module from Python.",
        )
    if kind is Kind.SAFETENSORS:
        return _read_safetensors(path)
    return read_pickle(path, legacy=kind is Kind.LEGACY_TORCH, trust=trust)


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(str(path)))
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise ModelLoadError(
            "the safetensors file is damaged", where=f"{path}: {error}", remedy="Copy or download it again."
        ) from error


def _from_onnx(path: Path, request: _Request) -> LoadedModel:
    model = open_onnx(path)
    files = (path, *external_files(model, path))
    _compare_digests(files, request)
    shape = onnx_shape(image_input(model, path), request.shape, request.batch, path)
    return LoadedModel(
        module=None,
        onnx_path=path,
        name=path.stem,
        source=str(path),
        format="onnx",
        input_shape=shape,
        preprocessing=preprocessing(shape, None),
        random_weights=False,
        classes=onnx_classes(model),
        arch=None,
        spec=_spec(str(path.resolve()), request, shape, files),
    )


def _finish(module: nn.Module, request: _Request, origin: _Origin) -> LoadedModel:
    """Run the network once on fake tensors, so that a wrong input shape is found here and explained."""
    shape = request.shape or usual_shape(module, request.batch)
    rehearsal = rehearse(module, shape)
    first = rehearsal.outputs[0] if rehearsal.outputs else None
    config = getattr(module, "pretrained_cfg", None)
    known = (config or {}).get("architecture")
    return LoadedModel(
        module=module.eval(),
        onnx_path=None,
        name=origin.name,
        source=origin.source,
        format="torch",
        input_shape=shape,
        preprocessing=preprocessing(shape, config),
        random_weights=origin.random,
        classes=int(first.shape[1]) if first is not None and first.dim() == 2 else None,
        arch=origin.arch or (f"timm:{known}" if known and timm.is_model(known) else None),
        spec=_spec(origin.spec or origin.source, request, shape, origin.files),
        notes=origin.notes,
    )


def _spec(spec: str, request: _Request, shape: tuple[int, ...], files: tuple[Path, ...]) -> dict[str, Any]:
    """Return what `load` needs to open the same model again, from any working directory."""
    found: dict[str, Any] = {"spec": spec, "input_shape": list(shape), "batch": shape[0]}
    if request.arch:
        found["arch"] = request.arch
    if request.checkpoint:
        found["checkpoint"] = str(request.checkpoint.resolve())
    if request.trust:
        found["trust"] = True
    if files:
        found["sha256"] = {str(f.resolve()): sha256(f) for f in files}
    return found


def _compare_digests(files: tuple[Path, ...], request: _Request) -> None:
    for file in files:
        expected = request.digests.get(str(file.resolve()))
        if expected is not None and sha256(file) != expected:
            raise ModelLoadError(
                "the model file has changed since it was recorded",
                where=str(file),
                remedy="Restore the file, or start again from the changed model.",
            )
