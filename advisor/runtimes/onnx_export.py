"""Writing torch modules as ONNX files: static shapes, folded batch norms, weights inside, whole or not at all."""

import contextlib
import copy
import io
import logging
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from advisor.errors import NotApplicable

DEFAULT_OPSET = 20  # the first with GELU as one operation
NATIVE_OPSET = 18  # oldest that the exporter of torch.export graphs writes; it stays at 18 where 20 cannot be reached
OLDEST_OPSET = 13  # below it per-channel quantize nodes do not exist
PROTOBUF_LIMIT = 2 * 1000**3  # bytes; larger models need external data, which breaks "one file"


def export_onnx(module: Any, input_shape: tuple[int, ...], target: Path, *, opset: int | None = None) -> Path:
    """Export to `target`. Opsets under 18 go through the tracing exporter, which can write them directly."""
    import torch

    wanted = opset or DEFAULT_OPSET
    if wanted < OLDEST_OPSET:
        raise NotApplicable(f"opset {wanted} is too old", remedy=f"Opsets from {OLDEST_OPSET} on are written.")
    if sum(p.numel() * p.element_size() for p in module.parameters()) > PROTOBUF_LIMIT:
        raise NotApplicable("the model has over 2 GB of weights", remedy="An ONNX file of one piece holds 2 GB.")
    plain = _for_export(module, decompose=wanted < NATIVE_OPSET)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.stem}.partial.onnx")
    try:
        with _quiet(), torch.no_grad():
            _export(plain, torch.zeros(input_shape), str(partial), wanted)
        os.replace(partial, target)
    except Exception as error:  # the exporters raise dozens of private classes
        reason = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
        raise NotApplicable(
            f"the model cannot be exported to ONNX opset {wanted}: {reason}",
            remedy="Give an .onnx file made by the model's own tools.",
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return target


def _export(module: Any, example: Any, path: str, opset: int) -> None:
    import onnx
    import torch

    names: dict[str, Any] = {"input_names": ["input"], "output_names": ["output"], "opset_version": opset}
    if opset >= NATIVE_OPSET:
        made = torch.onnx.export(module, (example,), dynamo=True, external_data=False, verbose=False, **names)
        if made is None:
            raise ValueError("the exporter wrote nothing")
        model = made.model_proto
    else:
        torch.onnx.export(module, (example,), path, dynamo=False, **names)
        model = onnx.load(path)
    _strip(model)
    onnx.save(model, path)


def _strip(model: Any) -> None:
    """Remove what exporters note about the machine: stack traces with file names, which also swell small files."""
    graphs = [model.graph, *model.functions]
    for part in (model, *graphs, *(node for graph in graphs for node in graph.node), *model.graph.value_info):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    for part in (*model.graph.initializer, *model.graph.input, *model.graph.output):
        part.ClearField("doc_string")
        part.ClearField("metadata_props")


def _for_export(module: Any, *, decompose: bool) -> Any:
    """Return a copy in evaluation mode on the CPU; fused attention is taken apart where old opsets lack it."""
    plain = copy.deepcopy(module).cpu().eval()
    if decompose:
        for part in plain.modules():
            if getattr(part, "fused_attn", False):  # timm's switch
                part.fused_attn = False
    return plain


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporters: they print progress, and warn about every constant they fold."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
