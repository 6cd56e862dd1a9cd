"""Storing a module whose structure differs from its architecture's, and loading it again; no pickle is written.

`weights.safetensors` holds parameters and buffers. Its metadata list, by module path, the integer attributes that
differ from the original architecture (out_channels, groups, num_features, ...), the thinner layers that stand in
place of one layer, the blocks that are left out, and what the network was built from where that is not the original.
Loading builds the network and applies all of them.
"""

import copy
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from advisor.errors import RunError
from advisor.writing import write_bytes

from .store import read_run

WEIGHTS = "weights.safetensors"
_WIDTHS = "advisor.widths"
_CHAINS = "advisor.chains"
_BUILT = "advisor.built"
_SKIPPED = "advisor.skipped"
_CONV = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups")
_LINEAR = ("in_features", "out_features")


def save_weights(module: Any, original: Any, path: Path, built: dict[str, Any] | None = None) -> None:
    """Write the weights of `module` and how its structure differs from `original`, or from what it was built from."""
    from safetensors.torch import save

    original = original if built is None else _build(built, path)
    tensors = {name: tensor.detach().contiguous().clone() for name, tensor in module.state_dict().items()}
    changes: dict[str, Any] = {_WIDTHS: widths_changed(original, module), _CHAINS: chains(original, module)}
    left_out = skipped(module)
    changes |= {_SKIPPED: left_out} if left_out else {}
    changes |= {} if built is None else {_BUILT: built}
    write_bytes(path, _ordered(save(tensors, metadata={name: json.dumps(one) for name, one in changes.items()})))


def _ordered(content: bytes) -> bytes:
    """Return a safetensors file with its metadata in order, so that the same weights give the same bytes.

    The library writes them in an order that changes from call to call. Eight bytes hold the length of the header.
    """
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + content[end:]


def skipped(module: Any) -> list[str]:
    """Return the module paths of blocks that were left out."""
    from advisor.techniques.prune_blocks.skip import Skip

    return [path for path, part in module.named_modules() if isinstance(part, Skip)]


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

    replaced, present = {}, dict(module.named_modules())
    for path, old in original.named_modules():
        if isinstance(old, nn.Linear | nn.Conv2d):
            new = present.get(path)  # None below a block that was left out
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

    built, widths, replaced, left_out = (_metadata(path, name) for name in (_BUILT, _WIDTHS, _CHAINS, _SKIPPED))
    module = _build(built, path) if built else copy.deepcopy(original)
    with safe_open(path, framework="pt") as stored:
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118  (not a mapping)
    try:
        _restructure(module, left_out, replaced)
    except (LookupError, AttributeError, TypeError, ValueError) as error:
        raise RunError(f"the weights do not belong to this architecture: {error}", where=str(path)) from error
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


def _restructure(module: Any, left_out: Iterable[str], replaced: dict[str, list[dict[str, Any]]]) -> None:
    """Leave blocks out and put thinner layers in place of layers, in place."""
    from advisor.techniques.prune_blocks.skip import skip

    for name in left_out:
        skip(module, name)
    for name, layers in replaced.items():
        owner, _, leaf = name.rpartition(".")
        setattr(module.get_submodule(owner), leaf, _chain(layers))


def _metadata(path: Path, name: str) -> Any:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as stored:
        return json.loads((stored.metadata() or {}).get(name, "{}"))


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
