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
from .pickles import read_pickle
from .request import Origin, Request
from .safetensors_files import read_safetensors
from .sanity import check_weights

_CONTAINERS = {
    Kind.TORCH: "torch checkpoint",
    Kind.LEGACY_TORCH: "torch checkpoint of the format before 1.6",
    Kind.SAFETENSORS: "safetensors",
}


def from_file(path: Path, kind: Kind, request: Request) -> LoadedModel:
    """Open a file of PyTorch's or safetensors by what it contains."""
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
