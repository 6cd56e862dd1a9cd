"""Putting weights into a network, or saying exactly what does not fit."""

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import timm
from torch import Tensor, nn

from advisor.errors import ModelLoadError

from .recognition.fingerprint import is_bookkeeping

_LISTED = 3
_FILTERS = ("filter_fn", "_filter_torchvision_pretrained")  # in the names of timm's translations
Weights = dict[str, Tensor]


def fill(module: nn.Module, weights: Weights, path: Path, arch: str) -> tuple[str, ...]:
    """Load the weights strictly; checkpoints in the authors' original naming are translated by timm where it can."""
    faults = _faults(module, weights)
    notes: tuple[str, ...] = ()
    for renamed, note in _renamings(module, weights, arch) if faults else ():
        if not _faults(module, renamed):
            weights, faults, notes = renamed, [], (note,) if note else ()
            break
    if faults:
        raise ModelLoadError(
            f"the checkpoint does not fit {arch}",
            where=f"{path}: {'; '.join(faults)}",
            remedy="Give the architecture that was trained with --arch timm:NAME.",
        )
    known = module.state_dict().keys()
    module.load_state_dict({k: v for k, v in weights.items() if k in known}, strict=False)
    return notes


def _faults(module: nn.Module, weights: Mapping[str, Tensor]) -> list[str]:
    """List what is missing, left over or of another shape."""
    wanted = module.state_dict()
    missing = [k for k in wanted if k not in weights and not is_bookkeeping(k)]
    extra = [k for k in weights if k not in wanted and not is_bookkeeping(k)]
    shapes = [
        f"{k} (file {_write(weights[k])}, network {_write(t)})"
        for k, t in wanted.items()
        if k in weights and weights[k].shape != t.shape
    ]
    groups = (("missing in the file", missing), ("unknown to the network", extra), ("of another shape", shapes))
    return [f"{len(names)} {what}: {_some(names)}" for what, names in groups if names]


def _renamings(module: nn.Module, weights: Weights, arch: str) -> Iterator[tuple[Weights, str]]:
    """Yield the weights under other names: below the network's own first layer, and as timm translates them."""
    heads = {name.partition(".")[0] for name in module.state_dict()}
    if len(heads) == 1:  # that name was taken for a wrapper's and cut off
        head = heads.pop()
        yield {f"{head}.{name}": tensor for name, tensor in weights.items()}, ""
    for translate in _translations(module, arch):
        translated = _translated(translate, module, weights)
        if translated is not None:
            same = translated.keys() == weights.keys()
            yield translated, "timm fitted position tables to this size" if same else "timm translated the file's names"


def _translations(module: nn.Module, arch: str) -> Iterator[Callable[..., Any]]:
    """Yield the functions that timm keeps for checkpoints of other origin, beside the class and beside the name."""
    name = arch.removeprefix("timm:")
    places: list[ModuleType] = [sys.modules[type(module).__module__]]
    if timm.is_model(name):
        places.append(sys.modules[timm.models.model_entrypoint(name).__module__])
    for place in dict.fromkeys(places):
        if place.__name__.startswith("timm."):
            yield from (value for key, value in vars(place).items() if key.endswith(_FILTERS) and callable(value))


def _translated(translate: Callable[..., Any], module: nn.Module, weights: Weights) -> Weights | None:
    """Apply one translation; most take the network as well."""
    for arguments in ((dict(weights), module), (dict(weights),)):
        try:
            translated = translate(*arguments)
        except TypeError:
            continue
        except Exception:  # a translation written for another layout can fail anywhere; then there is none
            return None
        return translated if isinstance(translated, dict) else None
    return None


def _write(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
