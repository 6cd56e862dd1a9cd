"""The weights and constants of a torch.export archive: plain tensors, never unpickled freely."""

import io
import json
from typing import Any

import torch
from torch import Tensor, nn
from torch.serialization import get_unsafe_globals_in_checkpoint

from advisor.errors import ModelLoadError

from .archive_entries import Entries, damaged, strided
from .opened import checked_name

DTYPES = {
    1: torch.uint8, 2: torch.int8, 3: torch.int16, 4: torch.int32, 5: torch.int64, 6: torch.float16, 7: torch.float32,
    8: torch.float64, 10: torch.complex64, 11: torch.complex128, 12: torch.bool, 13: torch.bfloat16,
}  # fmt: skip  # torch.export's numbers
_OLD_FILES = {
    "weights": ("data/weights/{}.pt", "serialized_state_dict.pt"),
    "constants": ("data/constants/{}.pt", "serialized_constants.pt"),
}
_LARGEST = 2**40  # bytes


def read_tensors(entries: Entries, model: str) -> dict[str, Tensor]:
    """Return weights, buffers and constants by their full names; what the archive shares is shared here."""
    found: dict[str, Tensor] = {}
    for part in ("weights", "constants"):
        config = f"data/{part}/{model}_{part}_config.json"
        if config in entries:
            found |= _payload(entries, f"data/{part}", read_json(entries, config).get("config"))
            continue
        for pattern in _OLD_FILES[part]:
            if (name := pattern.format(model)) in entries:
                found |= _pickled(entries, name)
    return {checked_name(name): tensor for name, tensor in found.items()}


def read_json(entries: Entries, name: str) -> dict[str, Any]:
    """Return a JSON object."""
    try:
        value = json.loads(entries.read(name))
    except (ValueError, RecursionError) as error:
        raise damaged(entries.path, f"{name} is no JSON") from error
    if not isinstance(value, dict):
        raise damaged(entries.path, f"{name} is no JSON object")
    return value


def _payload(entries: Entries, folder: str, config: Any) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    shared: dict[Any, Tensor] = {}
    for name, entry in dict(config or {}).items():
        where = f"{entries.path}: {str(name)[:120]}"
        file, meta = f"{folder}/{checked_name(entry['path_name'])}", entry["tensor_meta"]
        if entry["use_pickle"] or meta is None or file not in entries:
            raise _pickled_refusal(entries, file, where)
        sizes, strides = ([side.get("as_int") for side in meta[key]] for key in ("sizes", "strides"))
        offset, dtype = meta["storage_offset"].get("as_int"), DTYPES.get(meta["dtype"])
        if dtype is None or meta["layout"] != 7:
            raise ModelLoadError("the archive holds a weight of a kind that is not read", where=where)
        identity = (file, dtype, tuple(sizes), tuple(strides), offset)
        if identity not in shared:
            tensor = strided(entries.read(file, _LARGEST), dtype, sizes, strides, offset, where)
            shared[identity] = nn.Parameter(tensor, requires_grad=False) if entry["is_param"] is True else tensor
        found[name] = shared[identity]
    return found


def _pickled(entries: Entries, name: str) -> dict[str, Tensor]:
    """Read a state dict as archives up to torch 2.8 hold it, by torch's restricted unpickler alone."""
    content = entries.read(name, _LARGEST)
    try:
        stored = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # hostile bytes can raise anything
        raise _pickled_refusal(entries, name, f"{entries.path}: {name}") from error
    if not isinstance(stored, dict) or any(type(t) not in (Tensor, nn.Parameter) for t in stored.values()):
        raise _pickled_refusal(entries, name, f"{entries.path}: {name}")
    return {str(key): tensor.detach() if type(tensor) is Tensor else tensor for key, tensor in stored.items()}


def _pickled_refusal(entries: Entries, file: str, where: str) -> ModelLoadError:
    """Name the classes that a pickle asks for; it is looked at, not loaded."""
    asked: list[str] = []
    if file in entries:
        try:
            asked = sorted(get_unsafe_globals_in_checkpoint(io.BytesIO(entries.read(file, _LARGEST))))
        except Exception:  # no zip archive, or byte code that torch does not follow: there are no names to tell
            asked = []
    what = f"objects of {', '.join(asked)[:200]}" if asked else "something else than plain tensors"
    return ModelLoadError(
        f"the archive stores {what}, which would have to be unpickled",
        where=where,
        remedy="Export the network with plain tensors as weights; --trust does not help here.",
    )
