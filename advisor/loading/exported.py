"""Opening torch.export archives (.pt2) without torch.export.load.

That unpickles weights and example inputs, evaluates expressions and compiles guards that the file carries. The graph is
built here from the file's JSON by a list of operators, and the weights are read as raw bytes. `trust` therefore has
nothing to allow.
"""

from pathlib import Path
from typing import Any

import torch

from advisor.errors import ModelLoadError, first_line

from .archive_entries import Entries, damaged
from .exported_graph import GraphReader
from .exported_weights import DTYPES, read_json, read_tensors
from .fake_pass import check_pass
from .opened import OpenedGraph, assemble

_OLD = "serialized_exported_program.json"
_PROGRAMS = (".so", ".o", ".a", ".dll", ".dylib", ".cubin", ".cpp")  # what AOTInductor compiles to
_SCHEMAS = range(5, 9)  # major versions whose nodes read alike: torch 2.3 to 2.15
_USUAL_SIDE = 224


def open_exported(path: Path, shape: tuple[int, ...] | None, *, batch: int = 1, trust: bool = False) -> OpenedGraph:
    """Return the network of a torch.export archive; nothing of the file is executed, with or without `trust`.

    Without a `shape`, that of the example it was exported with is taken, at `batch` images.
    """
    entries = Entries(path)
    try:
        name, document = _document(entries)
        tensors = read_tensors(entries, name)
        return _open(path, document, tensors, shape, batch)
    except ModelLoadError as error:
        raise ModelLoadError(error.what, where=error.where or str(path), remedy=error.remedy) from error
    except Exception as error:  # a document of another structure can fail anywhere
        raise damaged(path, first_line(error)[:200]) from error
    finally:
        entries.close()


def _document(entries: Entries) -> tuple[str, dict[str, Any]]:
    """Return the name and the JSON of the one network in the archive."""
    if programs := [n for n in entries.names if n.endswith(_PROGRAMS)]:
        raise ModelLoadError(
            "the archive holds compiled programs, which are never run",
            where=f"{entries.path}: {programs[0][:120]}",
            remedy="Save it with torch.export.save, not with AOTInductor; or give the network as ONNX.",
        )
    models = [n for n in entries.names if n.startswith("models/") and n.endswith(".json")]
    chosen = "models/model.json" if "models/model.json" in models else _OLD if _OLD in entries else "".join(models[:1])
    if not chosen or (len(models) > 1 and chosen != "models/model.json"):
        raise ModelLoadError(
            f"the archive holds {len(models)} networks" if models else "the archive holds no exported network",
            where=f"{entries.path}: {', '.join(models)[:200]}",
            remedy="Save one network with torch.export.save.",
        )
    document = read_json(entries, chosen)
    version = document.get("schema_version")
    major = version.get("major") if isinstance(version, dict) else None
    if major not in _SCHEMAS:
        raise ModelLoadError(
            f"the archive has version {major} of torch.export's format; versions 5 to 8 are read",
            where=str(entries.path),
            remedy="Export the network again with a current torch.",
        )
    return chosen.removeprefix("models/").removesuffix(".json"), document


def _open(
    path: Path, document: dict[str, Any], tensors: dict[str, torch.Tensor], asked: tuple[int, ...] | None, batch: int
) -> OpenedGraph:
    described = document["graph_module"]
    reader = GraphReader(described)
    if len(reader.inputs) != 1:
        raise ModelLoadError(
            f"the exported network takes {len(reader.inputs)} tensors",
            where=f"{path}: {', '.join(reader.inputs)[:120]}",
            remedy="Networks with one input are opened; export it with one tensor of images.",
        )
    meta = described["graph"]["tensor_values"][reader.inputs[0]]
    shape = _shape(path, meta, asked, batch)
    dtype = DTYPES[meta["dtype"]]
    read = reader.weights
    if missing := sorted(read - tensors.keys()):
        raise damaged(path, f"it lacks the weight {missing[0][:120]}")
    notes: tuple[str, ...] = ("changes of its own buffers are left out",) if reader.dropped_outputs else ()
    if reader.quantized and (unread := sorted(tensors.keys() - read)):
        tensors = {name: tensor for name, tensor in tensors.items() if name in read}
        notes += (f"{len(unread)} weights from before the quantization are left out: nothing reads them",)
    module = assemble(reader.graph, tensors)
    check_pass(module, shape, dtype, path, ",".join(map(str, _shape(path, meta, None, 1))))
    return OpenedGraph(module, shape, dtype, reader.inputs[0], notes)


def _shape(path: Path, meta: dict[str, Any], asked: tuple[int, ...] | None, batch: int) -> tuple[int, ...]:
    """Return the input's shape; sides that were exported fixed must stay as they are."""
    fixed = [side.get("as_int") for side in meta["sizes"]]
    hints = [_hint(side) for side in meta["sizes"]]
    shape = asked or (batch if fixed[0] is None or batch != 1 else fixed[0], *hints[1:])
    written = "x".join(str(s) if s is not None else "?" for s in fixed)
    if len(shape) != len(fixed) or any(f not in (None, s) for f, s in zip(fixed[1:], shape[1:], strict=True)):
        raise ModelLoadError(
            f"the network does not accept an input of shape {'x'.join(map(str, shape))}",
            where=f"{path}: it was exported for {written}",
            remedy="Give that shape with --input, or export it again with dynamic_shapes for the sides that vary.",
        )
    if fixed[0] not in (None, shape[0]):
        raise ModelLoadError(
            f"the network was exported for a batch of {fixed[0]}, not {shape[0]}",
            where=f"{path}: its input is {written}",
            remedy="Export it again with dynamic_shapes=({0: torch.export.Dim('batch')},), or leave the batch out.",
        )
    return shape


def _hint(side: dict[str, Any]) -> int:
    """Return a side of the example that the network was exported with."""
    if "as_int" in side:
        return int(side["as_int"])
    hint = (side["as_expr"].get("hint") or {}).get("as_int")
    return int(hint) if hint else _USUAL_SIDE
