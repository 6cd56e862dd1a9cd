"""Converting ONNX files for ncnn: as a traced torch module through the program pnnx, in a folder of its own."""

import math
import os
import subprocess
import tempfile
import warnings
from pathlib import Path
from typing import Any

from advisor.errors import NotApplicable, first_line
from advisor.writing import write_text

from .ncnn_param import read_param

TIMEOUT_SECONDS = 600
REMEDY = "Use onnxruntime or openvino for this network."
_TOLD = ("ignore ", "not supported")


def convert_by_pnnx(onnx: Path, target: Path) -> Path:
    """Write .param and .bin; a network with operations that ncnn lacks is refused with their names."""
    from .ncnn_int8 import with_integers
    from .ncnn_shapes import with_sizes

    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".pnnx-") as name:
        folder = Path(name)
        shape = _trace(onnx, folder / "net.pt")
        said = _run(folder, shape, half=_stored_in_halves(onnx))
        param_file, weights = folder / "net.ncnn.param", folder / "net.ncnn.bin"
        if not param_file.is_file() or not weights.is_file():
            raise NotApplicable(f"pnnx made no files: {said or 'it gives no reason'}", where=str(onnx), remedy=REMEDY)
        param = read_param(param_file.read_text(encoding="utf-8")).with_input(shape)
        foreign = sorted({layer.kind for layer in param.layers if "." in layer.kind or "::" in layer.kind})
        if foreign:
            raise NotApplicable(f"ncnn has no layer for {', '.join(foreign)}", where=str(onnx), remedy=REMEDY)
        param, content = with_integers(onnx, param, weights.read_bytes())
        param = with_sizes(param, folder, content)
        weights.write_bytes(content)
        os.replace(weights, target.with_suffix(".bin"))
    write_text(target, param.text)
    return target


def _trace(onnx: Path, target: Path) -> tuple[int, ...]:
    """Write the file as TorchScript, and return the shape of its input; ncnn runs one image at a time."""
    import torch

    from .onnx_torch import from_onnx
    from .pnnx_slices import pooled_slice

    try:
        module, shape = from_onnx(onnx, weights="floats", instead={"Slice": pooled_slice})
        if shape[0] != 1:
            raise NotApplicable(f"ncnn runs single images, not batches of {shape[0]}", remedy="Plan for batch 1.")
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            trace: Any = torch.jit.trace
            traced = trace(module, torch.zeros(shape), check_trace=False)
            torch.jit.freeze(traced.eval()).save(str(target))
    except NotApplicable:
        raise
    except Exception as error:  # unknown operations, and whatever tracing raises
        raise NotApplicable(
            f"the file cannot be traced for pnnx: {first_line(error)}", where=str(onnx), remedy=REMEDY
        ) from error
    return shape


def _stored_in_halves(file: Path) -> bool:
    """Whether the larger part of the weights has 16 bits."""
    import onnx

    weights = onnx.load(file, load_external_data=False).graph.initializer
    sizes = {one.name: math.prod(one.dims) for one in weights}
    halves = sum(sizes[one.name] for one in weights if one.data_type == onnx.TensorProto.FLOAT16)
    return bool(2 * halves > sum(sizes.values()))


def _run(folder: Path, shape: tuple[int, ...], *, half: bool) -> str:
    """Run pnnx and return what it says of operations that it left out."""
    import pnnx

    command = [pnnx.EXEC_PATH, "net.pt", f"fp16={int(half)}", f"inputshape=[{','.join(str(n) for n in shape)}]f32"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise NotApplicable(
            f"pnnx cannot run: {first_line(error)}", remedy="Install the package 'pnnx' again."
        ) from error
    lines = [line for line in (done.stdout + done.stderr).splitlines() if any(word in line for word in _TOLD)]
    return "; ".join(dict.fromkeys(lines[:3]))
