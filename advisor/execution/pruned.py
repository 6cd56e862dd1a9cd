"""Storing a module whose widths differ from its architecture's, and loading it again; no pickle is written.

`weights.safetensors` holds parameters and buffers. Its metadata list, by module path, the integer attributes that
differ from the original architecture (out_channels, groups, num_features, ...). Loading builds the original and
applies both.
"""

import copy
import json
import os
from pathlib import Path
from typing import Any

from advisor.errors import RunError

from .store import read_run

WEIGHTS = "weights.safetensors"
_METADATA = "advisor.widths"


def save_weights(module: Any, original: Any, path: Path) -> None:
    """Write the weights of `module` and how its widths differ from `original`."""
    from safetensors.torch import save_file

    tensors = {name: tensor.detach().contiguous().clone() for name, tensor in module.state_dict().items()}
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, metadata={_METADATA: json.dumps(widths_changed(original, module))})
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


def load_pruned(run_dir: Path, original: Any = None) -> Any:
    """Return the module of a run in evaluation mode.

    `original` is the uncompressed architecture; without it the model is loaded again from what the run recorded.
    """
    record = read_run(run_dir)
    if not (run_dir / WEIGHTS).is_file():
        raise RunError(f"the run holds no {WEIGHTS}", where=str(run_dir), remedy="Load its ONNX file instead.")
    if original is None:
        from advisor.loading import load

        original = load(**record.model_spec).module
    return with_weights(original, run_dir / WEIGHTS)


def with_weights(original: Any, path: Path) -> Any:
    """Return a copy of `original` with the widths and weights of a file written by `save_weights`."""
    import torch
    from safetensors import safe_open

    module = copy.deepcopy(original)
    with safe_open(path, framework="pt") as stored:
        widths = json.loads((stored.metadata() or {}).get(_METADATA, "{}"))
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118  (not a mapping)
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


def _integers(part: Any) -> dict[str, Any]:
    found = {}
    for name, value in vars(part).items():
        if name.startswith("_") or isinstance(value, bool):
            continue
        if isinstance(value, int) or (isinstance(value, tuple) and value and all(type(v) is int for v in value)):
            found[name] = value
    return found
