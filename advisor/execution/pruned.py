"""Storing a module whose structure differs from its architecture's, and loading it again; no pickle is written.

`weights.safetensors` holds parameters and buffers. Its metadata list, by module path, the integer attributes that
differ from the original architecture (out_channels, groups, num_features, ...), the thinner layers that stand in
place of one layer, and what the network was built from where that is not the original. Loading builds the network and
applies all of them.
"""

import copy
import json
import os
from pathlib import Path
from typing import Any

from advisor.errors import RunError

from .store import read_run

WEIGHTS = "weights.safetensors"
_WIDTHS = "advisor.widths"
_CHAINS = "advisor.chains"
_BUILT = "advisor.built"
_CONV = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups")
_LINEAR = ("in_features", "out_features")


def save_weights(module: Any, original: Any, path: Path, built: dict[str, Any] | None = None) -> None:
    """Write the weights of `module` and how its structure differs from `original`, or from what it was built from."""
    from safetensors.torch import save_file

    original = original if built is None else _build(built, path)
    tensors = {name: tensor.detach().contiguous().clone() for name, tensor in module.state_dict().items()}
    partial = path.with_suffix(".partial")
    changes = {_WIDTHS: widths_changed(original, module), _CHAINS: chains(original, module)}
    changes |= {} if built is None else {_BUILT: built}
    save_file(tensors, partial, metadata={name: json.dumps(change) for name, change in changes.items()})
    os.replace(partial, path)


def widths_changed(original: Any, module: Any) -> dict[str, dict[str, Any]]:
    """Return by module path the integer attributes (and tuples of integers) that differ."""
    before = dict(original.named_modules())
    changed: dict[str, dict[str, Any]] = {}
    for path, part in module.named_modules():
        if path not in before:
            continue
        old = _integers(before[path])
        now = {name: value for name, value in _integers(part).items() if name in old and old[name] != value}
        if now:
            changed[path] = now
    return changed


def chains(original: Any, module: Any) -> dict[str, list[dict[str, Any]]]:
    """Return by module path the layers that stand in place of one layer, first to last."""
    from torch import nn

    replaced = {}
    for path, old in original.named_modules():
        if isinstance(old, nn.Linear | nn.Conv2d):
            new = module.get_submodule(path)
            if isinstance(new, nn.Sequential):
                replaced[path] = [_described(layer) for layer in new]
    return replaced


def _described(layer: Any) -> dict[str, Any]:
    names = _LINEAR if hasattr(layer, "in_features") else _CONV
    return {name: getattr(layer, name) for name in names} | {"bias": layer.bias is not None}


def _chain(layers: list[dict[str, Any]]) -> Any:
    from torch import nn

    return nn.Sequential(*(nn.Linear(**one) if "in_features" in one else nn.Conv2d(**one) for one in layers))


def load_pruned(run_dir: Path, original: Any = None) -> Any:
    """Return the module of a run in evaluation mode.

    `original` is the uncompressed architecture; without it the model is loaded again from what the run recorded.
    """
    record = read_run(run_dir)
    if not (run_dir / WEIGHTS).is_file():
        raise RunError(f"the run holds no {WEIGHTS}", where=str(run_dir), remedy="Load its ONNX file instead.")
    built = _metadata(run_dir / WEIGHTS, _BUILT)
    if original is None and not built:
        from advisor.loading import load

        original = load(**record.model_spec).module
    return with_weights(original, run_dir / WEIGHTS)


def with_weights(original: Any, path: Path) -> Any:
    """Return a network with the structure and weights of a file written by `save_weights`.

    It starts from a copy of `original`, or from what the file says that it was built from.
    """
    import torch
    from safetensors import safe_open

    built, widths, replaced = (_metadata(path, name) for name in (_BUILT, _WIDTHS, _CHAINS))
    module = _build(built, path) if built else copy.deepcopy(original)
    with safe_open(path, framework="pt") as stored:
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118  (not a mapping)
    for name, layers in replaced.items():
        owner, _, leaf = name.rpartition(".")
        setattr(module.get_submodule(owner), leaf, _chain(layers))
    unknown = sorted(set(tensors) ^ set(module.state_dict()))
    if unknown:
        raise RunError(f"the weights do not belong to this architecture: {unknown[0]}", where=str(path))
    for name, attributes in widths.items():
        part = module.get_submodule(name)
        for attribute, value in attributes.items():
            setattr(part, attribute, tuple(value) if isinstance(value, list) else value)
    for name, tensor in tensors.items():
        owner, _, leaf = name.rpartition(".")
        part = module.get_submodule(owner)
        if leaf in part._parameters:
            part._parameters[leaf] = torch.nn.Parameter(tensor, requires_grad=tensor.is_floating_point())
        else:
            part._buffers[leaf] = tensor
    return module.eval()


def _metadata(path: Path, name: str) -> dict[str, Any]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as stored:
        found: dict[str, Any] = json.loads((stored.metadata() or {}).get(name, "{}"))
    return found


def _build(built: dict[str, Any], path: Path) -> Any:
    """Build a student anew; the names of the list of students are all that a file can ask for."""
    from advisor.techniques.distil.building import Built, build_student

    try:
        return build_student(Built.model_validate(built))
    except ValueError as error:
        raise RunError("the weights say of an unknown network that it is theirs", where=str(path)) from error


def _integers(part: Any) -> dict[str, Any]:
    found = {}
    for name, value in vars(part).items():
        if name.startswith("_") or isinstance(value, bool):
            continue
        if isinstance(value, int) or (isinstance(value, tuple) and value and all(type(v) is int for v in value)):
            found[name] = value
    return found
