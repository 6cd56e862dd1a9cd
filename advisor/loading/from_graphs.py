"""From a TorchScript or torch.export archive to a network: its graph, or the architecture of its weights."""

from dataclasses import replace
from pathlib import Path

import timm
import torch
from torch import Tensor, nn

from advisor.errors import ModelLoadError
from advisor.schema import ModelInput

from .exported import open_exported
from .files import Kind
from .finish import finish
from .from_weights import from_weights, in_words
from .model import LoadedModel
from .opened import OpenedGraph
from .recognition import Level, Recognition, recognise_weights
from .rehearsal import tensors_in
from .request import Origin, Request
from .sanity import check_weights
from .torchscript import open_torchscript

_EQUAL = 1e-3  # of the largest output: float32 in another order of operations stays 100 times below


def from_graph(path: Path, kind: Kind, request: Request) -> LoadedModel:
    """Open an archive; with `--arch` its weights are put into that network, which then can be changed."""
    request.compare_digests((path,))
    if request.inputs is not None and len(request.inputs) > 1:
        raise ModelLoadError(
            f"{len(request.inputs)} inputs were given for a {kind}",
            where=str(path),
            remedy="Archives with one input are opened; give the network as ONNX or from Python.",
        )
    scripted = kind is Kind.TORCHSCRIPT
    opened = (open_torchscript if scripted else open_exported)(path, request.shape, batch=request.batch)
    weights = dict(opened.module.named_parameters()) | dict(opened.module.named_buffers())
    check_weights(weights, str(path))
    origin = Origin(
        path.stem,
        str(path),
        kind=str(kind),
        spec=str(path.resolve()),
        files=(path,),
        format="torchscript" if scripted else "exported",
        notes=opened.notes,
    )
    if request.arch is not None:
        return _as_network(opened, weights, request, origin)
    found = recognise_weights({name: tuple(tensor.shape) for name, tensor in weights.items()}, path.stem)
    if found.level in (Level.EXACT, Level.HEAD, Level.SIZE):
        origin = _known(opened.module, found, origin)
    dtype = str(opened.input_dtype).removeprefix("torch.")
    image = ModelInput(shape=opened.input_shape, dtype="" if dtype == "float32" else dtype)
    return finish(opened.module, request, origin, inputs=(image,))


def _known(module: nn.Module, found: Recognition, origin: Origin) -> Origin:
    """Note the architecture whose weights these are; its description tells how images are prepared."""
    if found.arch.startswith("timm:") and (config := timm.models.get_pretrained_cfg(found.arch[5:])):
        module.pretrained_cfg = config.to_dict()
    note = f"--arch {found.arch} opens the network itself with these weights, so that its structure can be changed"
    return replace(origin, arch=found.arch, recognised=in_words(found), twins=found.twins, notes=(*origin.notes, note))


def _as_network(opened: OpenedGraph, weights: dict[str, Tensor], request: Request, origin: Origin) -> LoadedModel:
    """Return the named network with the weights of the archive, after making sure that it computes the same."""
    named = replace(origin, kind=f"weights of a {origin.kind}", format="torch")
    shaped = replace(request, inputs=(ModelInput(shape=opened.input_shape),))
    loaded = from_weights(weights, request.arch, shaped, named, hint="")
    assert loaded.module is not None  # weights always end in a module
    difference = _difference(opened.module, loaded.module, opened.input_shape)
    if difference > _EQUAL:
        raise ModelLoadError(
            f"{loaded.arch} takes the weights of the archive but computes something else",
            where=f"{origin.source}: outputs differ by {difference:.2g} of the largest",
            remedy="Choose another --arch, or leave it out to work with the archive's own graph.",
        )
    return replace(loaded, notes=(*loaded.notes, f"{loaded.arch} computes what the archive computes"))


@torch.no_grad()
def _difference(one: nn.Module, other: nn.Module, shape: tuple[int, ...]) -> float:
    """Return the largest difference of the first outputs on one random image, relative to the largest output."""
    image = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    first, second = (next(tensors_in(module.eval()(image))).float() for module in (one, other))
    if first.shape != second.shape:
        return float("inf")
    return float((first - second).abs().max() / second.abs().max().clamp_min(1e-12))
