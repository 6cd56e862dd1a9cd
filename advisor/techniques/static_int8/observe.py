"""Running an ONNX graph to see inner tensors, and comparing what two graphs answer."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .graph import Array, Graph, with_outputs

FULL_SCORE = 100.0  # decibels of an error too small to matter, and of none


def tensors(graph: Graph, names: Iterable[str], batches: Iterable[Array]) -> Iterator[dict[str, Array]]:
    """Yield the values of inner tensors for every batch."""
    wanted = list(dict.fromkeys(names))
    session = opened(with_outputs(graph, wanted))
    inner = [name for name in wanted if name != graph.input]
    for batch in batches:
        found = session.run(inner, {graph.input: batch}) if inner else []
        yield {**dict(zip(inner, found, strict=True)), **({graph.input: batch} if graph.input in wanted else {})}


def outputs(model: bytes | Path, batches: Iterable[Array]) -> Array:
    """Return the first output for all batches, one row per image, values in one axis."""
    session = opened(model)
    name = session.get_inputs()[0].name
    rows = [np.asarray(session.run(None, {name: batch})[0], np.float32) for batch in batches]
    return np.concatenate([row.reshape(len(row), -1) for row in rows])


def opened(model: bytes | Path) -> Any:
    """Open a model for the CPU."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4
    content = model if isinstance(model, bytes) else str(model)
    return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def sqnr(reference: Array, found: Array) -> float:
    """Return the signal over the error in decibels, at most `FULL_SCORE`; that of a reference of zeros is zero."""
    signal = float(np.square(reference, dtype=np.float64).sum())
    noise = float(np.square(found.astype(np.float64) - reference).sum())
    if not np.isfinite(noise) or signal == 0:
        return 0.0
    return min(FULL_SCORE, 10 * float(np.log10(signal / noise))) if noise > 0 else FULL_SCORE


def agreement(reference: Array, found: Array) -> float:
    """Return the share of images whose largest output is the same."""
    return float((reference.argmax(1) == found.argmax(1)).mean())
