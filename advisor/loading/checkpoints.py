"""Finding the weights in a training checkpoint, whatever wrote it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from advisor.errors import ModelLoadError

from .filling import fill

__all__ = ["CONTAINERS", "fill", "find_content", "inside", "stated_architecture"]

# Where training code puts weights: the network itself before averaged copies of it.
CONTAINERS = (
    "state_dict",  # timm, lightning, mmcv and mmengine, MoCo
    "model",  # the references of torchvision, detectron2, DeiT, Swin, MAE, ultralytics
    "model_state_dict",  # torch's tutorials
    "model_state",  # pycls, PySlowFast
    "net",
    "network",
    "weights",
    "params",  # BasicSR
    "state",  # Composer
    "module",  # DeepSpeed, inside RT-DETR's "ema"
    "teacher",  # DINO: the averaged copy, which its authors evaluate
    "student",
    "ema",  # ultralytics, RT-DETR
    "state_dict_ema",  # timm
    "model_ema",  # torchvision, DeiT
    "ema_state_dict",  # mmcv
    "ema_state",  # pycls
    "params_ema",  # BasicSR
)
_DEEPEST = 4  # containers within containers: {"ema": {"module": ...}}
# Put between two names of layers by torch.compile, DeepSpeed, FSDP and activation checkpointing.
_WRAPPERS = frozenset({"_orig_mod", "_forward_module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"})
# Attributes that hold the whole network in training code; cut off where every name begins so.
_HOLDERS = frozenset(
    {"module", "model", "net", "network", "backbone", "encoder", "student", "teacher", "base_model", "base_encoder"}
    | {"encoder_q", "online_encoder", "feature_extractor", "model_ema", "ema_model", "ema"}
)
_OUTSIDE = frozenset({"n_averaged"})  # torch's averaged models count beside the network


def find_content(stored: Any, path: Path) -> tuple[nn.Module | dict[str, Tensor], tuple[str, ...]]:
    """Return the module or the state dict inside what was stored, with notes on where it was found."""
    found = _search(stored, _DEEPEST)
    if found is not None:
        content, notes = found
        return content if isinstance(content, nn.Module) else _without_prefixes(content), notes
    what = f"keys {', '.join(map(repr, list(stored)[:8]))}" if isinstance(stored, Mapping) else type(stored).__name__
    raise ModelLoadError(
        "the checkpoint holds no network weights",
        where=f"{path}: {what}",
        remedy=f"Weights are looked for at the top and under {', '.join(CONTAINERS)}.",
    )


def stated_architecture(stored: Any) -> str:
    """Return the name of the network as the training code noted it beside the weights, or an empty string."""
    for holder in (stored, *(_get(stored, key) for key in ("args", "hyper_parameters", "config", "cfg", "train_args"))):
        for key in ("arch", "model_name", "model", "architecture", "backbone"):
            name = _get(holder, key)
            if isinstance(name, str) and len(name) <= 100:
                return name
    return ""


def inside(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the weights under a prefix, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in weights.items() if name.startswith(prefix)}


def _search(stored: Any, depth: int) -> tuple[nn.Module | dict[str, Tensor], tuple[str, ...]] | None:
    """Look for weights in the known containers, else at the top, else in the one mapping that is all tensors."""
    if isinstance(stored, nn.Module):
        return stored, ()
    if not isinstance(stored, Mapping) or depth == 0:
        return None
    present = [key for key in CONTAINERS if isinstance(stored.get(key), Mapping | nn.Module)]
    for key in present:
        found = _search(stored[key], depth - 1)
        if found is not None:
            others = [other for other in present if other != key]
            also = f"; it also holds {', '.join(others)}" if others else ""
            return found[0], (f"weights read from {key!r} of the checkpoint{also}", *found[1])
    tensors = {str(key): value for key, value in stored.items() if isinstance(value, Tensor)}
    if tensors:
        return tensors, ()
    mappings = {str(key): value for key, value in stored.items() if _is_state_dict(value)}
    if not mappings:
        return None
    key = max(mappings, key=lambda name: sum(tensor.numel() for tensor in mappings[name].values()))
    others = [other for other in mappings if other != key]
    also = f"; it also holds {', '.join(others)}" if others else ""
    return dict(mappings[key]), (f"weights read from {key!r} of the checkpoint{also}",)


def _is_state_dict(value: Any) -> bool:
    """Tell whether a mapping of unknown origin is names and tensors and nothing else."""
    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in value.items())
    )


def _get(holder: Any, key: str) -> Any:
    if isinstance(holder, Mapping):
        return holder.get(key)
    return vars(holder).get(key) if hasattr(holder, "__dict__") else None


def _without_prefixes(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Cut off what wrappers and training code put before the network's own names."""
    plain = {".".join(part for part in name.split(".") if part not in _WRAPPERS): t for name, t in weights.items()}
    if len(plain) == len(weights):
        weights = plain
    while True:
        heads = {name.partition(".")[0] if "." in name else "" for name in weights if name not in _OUTSIDE}
        if len(heads) != 1 or not heads <= _HOLDERS:
            return weights
        prefix = f"{heads.pop()}."
        weights = {name.removeprefix(prefix): tensor for name, tensor in weights.items()}
