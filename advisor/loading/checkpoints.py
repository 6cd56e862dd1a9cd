"""Finding the weights in a training checkpoint and putting them into a network, or saying exactly what does not fit."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from advisor.errors import ModelLoadError

CONTAINERS = ("state_dict", "model", "model_state_dict", "ema", "state_dict_ema", "model_ema")
_PREFIXES = ("module.", "_orig_mod.", "model.")
_NO_WEIGHTS = ("num_batches_tracked", "total_ops", "total_params", "relative_position_index", "attn_mask")
_LISTED = 6


def find_content(stored: Any, path: Path) -> tuple[nn.Module | dict[str, Tensor], tuple[str, ...]]:
    """Return the module or the state dict inside what was stored, with notes on where it was found."""
    notes: list[str] = []
    for _ in range(3):  # containers may be nested: {"model": {"state_dict": ...}}
        if isinstance(stored, nn.Module):
            return stored, tuple(notes)
        if not isinstance(stored, Mapping):
            break
        tensors = {str(k): v for k, v in stored.items() if isinstance(v, Tensor)}
        present = [key for key in CONTAINERS if isinstance(stored.get(key), Mapping | nn.Module)]
        if not present:
            if tensors:
                return _without_prefixes(tensors), tuple(notes)
            break
        notes.append(f"weights read from {present[0]!r} of the checkpoint")
        if len(present) > 1:
            notes[-1] += f"; it also holds {', '.join(present[1:])}"
        stored = stored[present[0]]
    what = f"keys {', '.join(map(repr, list(stored)[:8]))}" if isinstance(stored, Mapping) else type(stored).__name__
    raise ModelLoadError(
        "the checkpoint holds no network weights",
        where=f"{path}: {what}",
        remedy=f"Weights are looked for at the top and under {', '.join(CONTAINERS)}.",
    )


def fill(module: nn.Module, weights: dict[str, Tensor], path: Path, arch: str) -> tuple[str, ...]:
    """Load the weights strictly; checkpoints in the authors' original naming are translated by timm where it can."""
    faults = _faults(module, weights)
    notes: tuple[str, ...] = ()
    if faults:
        translated = _translate(module, weights)
        if translated is not None and not _faults(module, translated):
            weights, faults = translated, []
            notes = ("the checkpoint's names were translated to timm's",)
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
    missing = [k for k in wanted if k not in weights and not k.endswith(_NO_WEIGHTS)]
    extra = [k for k in weights if k not in wanted and not k.endswith(_NO_WEIGHTS)]
    shapes = [
        f"{k} (file {_write(weights[k])}, network {_write(t)})"
        for k, t in wanted.items()
        if k in weights and weights[k].shape != t.shape
    ]
    groups = (("missing in the file", missing), ("unknown to the network", extra), ("of another shape", shapes))
    return [f"{len(names)} {what}: {_some(names)}" for what, names in groups if names]


def _translate(module: nn.Module, weights: dict[str, Tensor]) -> dict[str, Tensor] | None:
    """Apply the filter that timm keeps beside the network for checkpoints of other origin."""
    translate = getattr(sys.modules[type(module).__module__], "checkpoint_filter_fn", None)
    if translate is None:
        return None
    try:
        translated = translate(dict(weights), module)
    except Exception:  # a filter written for another layout can fail anywhere; then there is no translation
        return None
    return translated if isinstance(translated, dict) else None


def _without_prefixes(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Cut off what wrappers (data parallel, compile, lightning) put before every name."""
    changed = True
    while changed:
        changed = False
        for prefix in _PREFIXES:
            if all(name.startswith(prefix) for name in weights):
                weights = {name.removeprefix(prefix): t for name, t in weights.items()}
                changed = True
    return weights


def _write(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
