"""Opening TorchScript archives without torch.jit.

Its loader executes code that the file carries, and is not made for hostile bytes. Here the archive is read entry by
entry, its code is parsed and followed by an interpreter that knows tensors, numbers and the operators listed for files;
what one forward pass does is written down as a graph. `trust` therefore has nothing to allow.
"""

import ast
from pathlib import Path

from torch import Tensor, nn

from advisor.errors import ModelLoadError, first_line

from .archive_entries import Entries, damaged
from .fake_pass import check_pass
from .graph_export import export_graph
from .opened import OpenedGraph, shown
from .rehearsal import input_dtype
from .script_net import ScriptNet, build_net

_USUAL_SIDE = 224


def open_torchscript(path: Path, shape: tuple[int, ...] | None, *, batch: int = 1, trust: bool = False) -> OpenedGraph:
    """Return the network of a TorchScript archive as a graph; nothing of the file is executed, with or without `trust`.

    Without a `shape`, the first layer's channels at 224 x 224 are taken.
    """
    entries = Entries(path)
    try:
        net = build_net(entries).eval()
        name = _image_input(net, path)
    except ModelLoadError as error:
        raise ModelLoadError(error.what, where=error.where or str(path), remedy=error.remedy) from error
    except Exception as error:  # an archive of another structure can fail anywhere
        raise damaged(path, first_line(error)) from error
    finally:
        entries.close()
    notes = _adopt_constants(net)
    chosen = shape or _usual_shape(net, batch)
    dtype = input_dtype(net)
    check_pass(net, chosen, dtype, path, ",".join(map(str, _usual_shape(net, chosen[0]))))
    try:
        module, is_open = export_graph(net, chosen, dtype, _final_name)
    except ModelLoadError:
        raise
    except Exception as error:
        raise ModelLoadError(
            "the script cannot be written down as a graph",
            where=f"{path}: {shown(first_line(error))}",
            remedy="Its course may depend on the values of images; give the network as ONNX or from Python.",
        ) from error
    if not is_open:
        notes += (f"the script works with a batch of {chosen[0]} only",)
    return OpenedGraph(module, chosen, dtype, name, notes)


def _image_input(net: ScriptNet, path: Path) -> str:
    """Return the name of the one image that the network takes."""
    arguments = net.program.types[net.net.script_type].methods["forward"].args
    names = [argument.arg for argument in arguments.args[1:]]
    needed = names[: len(names) - len(arguments.defaults)]
    kinds = {argument.arg: argument.annotation for argument in arguments.args}
    listed = [n for n in needed if (kind := kinds[n]) is not None and ast.unparse(kind) != "Tensor"]
    if len(needed) != 1 or listed:
        takes = ", ".join(f"{n}: {ast.unparse(kind) if (kind := kinds[n]) else '?'}" for n in needed) or "nothing"
        raise ModelLoadError(
            "the script does not take one image tensor",
            where=f"{path}: forward takes {takes[:200]}",
            remedy="Networks with one input are opened; wrap it so that it takes one tensor of images.",
        )
    return needed[0]


def _adopt_constants(net: ScriptNet) -> tuple[str, ...]:
    """Make the constants of a frozen script parameters: it has no others."""
    if any(True for _ in net.net.parameters()):
        return ()
    held = [(n, b) for n, b in net.constants.named_buffers() if b.is_floating_point() and b.dim()]
    for name, tensor in held:
        net.constants.put(name, nn.Parameter(tensor))
    return ("the script was frozen: its weights are known by number, not by name",) if held else ()


def _usual_shape(net: ScriptNet, batch: int) -> tuple[int, ...]:
    """Return the input that the first kernel suggests."""
    kernels: list[Tensor] = [
        t for n, t in net.named_parameters() if t.dim() > 1 and (n.endswith("weight") or n.startswith("constants."))
    ]
    if not kernels:
        return (batch, 3, _USUAL_SIDE, _USUAL_SIDE)
    first = kernels[0]
    return (batch, first.shape[1], *(_USUAL_SIDE for _ in range(first.dim() - 2)))


def _final_name(name: str) -> str:
    """Return the name of a weight in the network that was scripted."""
    return name.removeprefix("net.").replace("_packed_params.", "")
