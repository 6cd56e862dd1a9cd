"""From a file to a network: whole modules, weights, graphs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from advisor.errors import ModelLoadError

from .checkpoints import find_content, stated_architecture
from .files import Kind, recognise
from .finish import finish
from .from_graphs import from_graph
from .from_weights import from_weights
from .model import LoadedModel
from .onnx_files import onnx_classes, onnx_inputs, onnx_opset, open_onnx
from .onnx_tensors import external_files
from .pickles import read_pickle
from .preprocessing import preprocessing
from .request import Origin, Request
from .safetensors_files import read_safetensors
from .sanity import check_weights

_CONTAINERS = {
    Kind.TORCH: "torch checkpoint",
    Kind.LEGACY_TORCH: "torch checkpoint of the format before 1.6",
    Kind.SAFETENSORS: "safetensors",
}


def from_file(path: Path, request: Request) -> LoadedModel:
    """Open a file by what it contains; its suffix plays a part only where the content cannot tell."""
    kind = recognise(path)
    if kind is Kind.ONNX:
        return _from_onnx(path, request)
    if kind in (Kind.TORCHSCRIPT, Kind.EXPORTED):
        return from_graph(path, kind, request)
    return from_checkpoint(path, request.arch, request, spec=str(path.resolve()), kind=kind)


def from_checkpoint(path: Path, arch: str | None, request: Request, spec: str, kind: Kind | None = None) -> LoadedModel:
    """Open a pickled module, or weights and the network they belong to: `arch`, else the one that is recognised."""
    kind = kind or recognise(path)
    request.compare_digests((path,))
    stored = _read(path, kind, request)
    content, notes = find_content(stored, path)
    container = _CONTAINERS[kind]
    origin = Origin(path.stem, str(path), kind=f"weights in a {container}", spec=spec, files=(path,), notes=notes)
    if not isinstance(content, nn.Module):
        check_weights(content, str(path))
        return from_weights(content, arch, request, origin, hint=f"{path.stem} {stated_architecture(stored)}")
    check_weights(dict(content.named_parameters()) | dict(content.named_buffers()), str(path))
    if arch is not None:
        notes = (*notes, f"the file holds a whole network; {arch} was not needed")
    known = (getattr(content, "pretrained_cfg", None) or {}).get("architecture")
    origin = replace(
        origin,
        kind=f"whole {type(content).__name__} in a {container}",
        arch=f"timm:{known}" if isinstance(known, str) else None,
        recognised="as the file says" if isinstance(known, str) else "",
        notes=notes,
    )
    return finish(content.eval(), request, origin)


def _read(path: Path, kind: Kind, request: Request) -> Any:
    if kind is Kind.SAFETENSORS:
        return read_safetensors(path)
    if kind in (Kind.TORCH, Kind.LEGACY_TORCH):
        return read_pickle(
            path, legacy=kind is Kind.LEGACY_TORCH, trust=request.trust, allow_packages=request.allow_packages
        )
    raise ModelLoadError(
        f"the file is no checkpoint: {kind}",
        where=str(path),
        remedy="A file that holds its network needs no architecture beside it: give it as the model.",
    )


def _from_onnx(path: Path, request: Request) -> LoadedModel:
    model = open_onnx(path)
    files = (path, *external_files(model, path))
    request.compare_digests(files)
    inputs = onnx_inputs(model, request.inputs, request.batch, path)
    beside = ", weights beside it" if len(files) > 1 else ""
    return LoadedModel(
        module=None,
        onnx_path=path,
        name=path.stem,
        source=str(path),
        format="onnx",
        inputs=inputs,
        preprocessing=preprocessing(inputs[0].shape, None),
        random_weights=False,
        classes=onnx_classes(model),
        arch=None,
        spec=request.spec(str(path.resolve()), inputs, files),
        kind=f"ONNX, opset {onnx_opset(model)}{beside}",
        notes=(f"the file holds a whole network; {request.arch} was not needed",) if request.arch else (),
    )
