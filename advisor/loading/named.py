"""Networks by name, and modules from Python."""

from typing import Any

from torch import nn

from advisor.errors import ModelLoadError

from .architectures import architecture, brings_weights, build
from .files import existing_file
from .finish import finish
from .from_files import from_checkpoint
from .model import LoadedModel
from .rehearsal import real_copy
from .request import Origin, Request
from .sources import OBJECT


def from_object(module: Any, request: Request) -> LoadedModel:
    """Open a copy of a module."""
    if not isinstance(module, nn.Module):
        raise ModelLoadError(
            f"a {type(module).__name__} is no model", remedy="Give a file, a name such as timm:NAME, or an nn.Module."
        )
    kind = type(module)
    source = f"{OBJECT}{kind.__module__}.{kind.__qualname__}"
    return finish(real_copy(module), request, Origin(kind.__name__, source, "nn.Module from Python"))


def from_name(name: str, request: Request) -> LoadedModel:
    """Build a network, with the weights of `--checkpoint` where there are some."""
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
